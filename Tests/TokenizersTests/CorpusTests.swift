import Foundation
import Testing

import Tokenizers

/// The ids of many lines, for `tools/check_tokenizers.py`, which names the files in the environment.
@Suite struct CorpusTests {
    @Test(.enabled(if: ProcessInfo.processInfo.environment["TOKENIZER_LINES"] != nil))
    func writesTheTokensOfEachLine() throws {
        func value(_ name: String) throws -> String {
            try #require(ProcessInfo.processInfo.environment["TOKENIZER_\(name)"])
        }
        let clock = ContinuousClock()
        let started = clock.now
        let tokenizer = try Tokenizer(
            directory: try value("FOLDER"), convention: Tokenizer.Convention(rawValue: try value("CONVENTION")))
        let loaded = clock.now
        let data = try Data(contentsOf: URL(fileURLWithPath: try value("LINES")))
        let lines = data.split(separator: 10, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        let length = try #require(Int(try value("LENGTH")))
        let before = clock.now
        let encoded = tokenizer.encode(lines, length: length)
        let after = clock.now
        #expect(encoded.count == lines.count && encoded.allSatisfy { $0.count == length })
        print("loaded in \(loaded - started), \(lines.count) lines in \(after - before)")
        let rows = encoded.map { $0.map(String.init).joined(separator: " ") }
        try Data(rows.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: try value("OUTPUT")))
    }
}
