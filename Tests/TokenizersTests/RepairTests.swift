import Foundation
import Support
import Testing

@testable import Tokenizers

/// Text in wrong encodings becomes what `ftfy.fix_text` makes of it.
@Suite struct RepairTests {
    /// `tools/mojibake.py` writes larger files, which REPAIRS names.
    private static let path = ProcessInfo.processInfo.environment["REPAIRS"] ?? fixture("repairs.json")

    @Test func textsInWrongEncodingsAreRepairedAsByFtfy() throws {
        let json = try JSON.file(Self.path)
        let texts = (json["texts"]?.elements ?? []).compactMap(\.string)
        let repaired = (json["repaired"]?.elements ?? []).compactMap(\.string)
        #expect(texts.count > 300 && texts.count == repaired.count)
        #expect(zip(texts, repaired).count { Text($0) != Text($1) } > texts.count / 3)
        for (text, expected) in zip(texts, repaired) {
            let found = TextRepair.repair(Text(text))
            #expect(found == Text(expected), "\(text.debugDescription): \(found.string.debugDescription)")
        }
    }
}
