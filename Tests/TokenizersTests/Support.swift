import Foundation
import Support
import TestTools

/// A folder of `Tests/Fixtures/tokenizers`, or a file in one.
func fixture(_ name: String, file: String = #filePath) -> String {
    URL(fileURLWithPath: file).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/tokenizers/\(name)").path
}

/// The folders of fixtures: a tokenizer each, in the form of a checkpoint.
let fixtures = [
    "clip-openai", "clip-files", "clip-json", "siglip", "siglip-bytes", "unigram-json", "unigram-openclip", "siglip2",
]

/// What a reference makes of texts.
struct Golden {
    var length: Int
    var texts: [String]
    /// The ids of each text, special tokens around them.
    var tokens: [[Int32]]
    /// The same in `length` places.
    var encoded: [[Int32]]

    init(_ name: String) throws {
        let json = try JSON.file(fixture("\(name)/golden.json"))
        func lists(_ name: String) -> [[Int32]] {
            (json[name]?.elements ?? []).map { ($0.integers ?? []).map(Int32.init) }
        }
        length = json["length"]?.integer ?? 0
        texts = (json["texts"]?.elements ?? []).compactMap(\.string)
        (tokens, encoded) = (lists("tokens"), lists("encoded"))
    }
}

/// A copy of a fixture whose files may be changed.
func copy(of name: String, to scratch: ScratchDirectory) throws -> String {
    for file in try FileManager.default.contentsOfDirectory(atPath: fixture(name)) where file != "golden.json" {
        try scratch.write(try readFile(fixture("\(name)/\(file)")), to: "\(name)/\(file)")
    }
    return "\(scratch.path)/\(name)"
}

/// Random numbers that are the same each time. Source: Steele et al. 2014, SplitMix64.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
