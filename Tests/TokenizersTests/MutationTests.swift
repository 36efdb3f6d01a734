import TestTools
import Testing

import Tokenizers

/// Damaged files give a tokenizer or an error, and nothing else.
@Suite struct MutationTests {
    @Test(arguments: [
        "clip-openai/bpe_simple_vocab_16e6.txt.gz", "clip-files/vocab.json", "clip-files/merges.txt",
        "clip-files/tokenizer_config.json", "clip-json/tokenizer.json", "siglip/spiece.model",
        "siglip-bytes/spiece.model", "unigram-json/tokenizer.json", "siglip2/tokenizer.json",
        "siglip2/tokenizer_config.json", "unigram-openclip/open_clip_config.json",
    ])
    func damageNeverCrashes(file: String) throws {
        var random = SplitMix(state: 7)
        let parts = file.split(separator: "/").map(String.init)
        let scratch = try ScratchDirectory()
        let folder = try copy(of: parts[0], to: scratch)
        let whole = try readFile("\(folder)/\(parts[1])")
        let texts = ["", "A photo of a cat's <unk></s> é ﬁ \u{1F600}", "<|startoftext|> x &amp; 中文"]
        var (refused, read) = (0, 0)
        for _ in 0..<150 {
            try scratch.write(mutate(whole, using: &random), to: file)
            guard let tokenizer = try? Tokenizer(directory: folder) else {
                refused += 1
                continue
            }
            read += 1
            let encoded = tokenizer.encode(texts, length: 16)
            #expect(encoded.allSatisfy { $0.count == 16 })
        }
        #expect(refused > 0 && refused + read == 150)
    }

    /// Flips bits, overwrites, cuts out or doubles a few bytes, in the first third more often: there are the settings.
    private func mutate(_ bytes: [UInt8], using random: inout SplitMix) -> [UInt8] {
        var result = bytes
        for _ in 0...Int.random(in: 0..<4, using: &random) {
            guard result.count > 16 else { break }
            let end = Bool.random(using: &random) ? result.count : max(16, result.count / 3)
            let position = Int.random(in: 0..<end, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1: result[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: result[position] = [0, 0x22, 0x30, 0x39, 0x7B, 0x5D, 0x80, 0xFF].randomElement(using: &random) ?? 0
            case 3: result.removeSubrange(position..<min(position + 5, result.count))
            case 4: result.insert(contentsOf: result[max(0, position - 9)..<position], at: position)
            default: result = Array(result.prefix(max(position, 1)))
            }
        }
        return result
    }
}
