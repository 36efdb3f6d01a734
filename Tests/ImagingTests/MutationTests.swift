import Testing

import Imaging

/// Damaged images give an image or an error, and nothing else.
@Suite struct MutationTests {
    @Test func damageNeverCrashes() throws {
        var random = SplitMix(state: 7)
        var options = DecodingOptions()
        options.maxPixels = 1 << 20
        let preparation = Preprocessing(resize: .shortestEdge(12), crop: .init(height: 8, width: 8))
        var (refused, mended) = (0, 0)
        for name in try fixtureImages() {
            let bytes = try fixtureBytes(name)
            for round in 0..<60 {
                let mutated = mutate(bytes, using: &random, repairing: name.hasSuffix(".png") && round % 2 == 0)
                options.channels = 1 + round % 4
                let error = decodingError(mutated, options: options)
                if error != nil { refused += 1 }
                options.reducesScale = round % 3 == 0
                let isPrepared = (try? preparation.prepare(decoding: mutated, options: options)) != nil
                let mayMissDamage = options.reducesScale && isPrepared && !name.hasSuffix(".png")
                #expect(isPrepared == (error == nil) || mayMissDamage, "\(name), round \(round)")
                var lenient = options
                lenient.onDamage = { _, _ in }
                let isRead = decodingError(mutated, options: lenient) == nil
                #expect(isRead || error != nil, "\(name), round \(round)")
                let isLenientlyPrepared = (try? preparation.prepare(decoding: mutated, options: lenient)) != nil
                #expect(isRead == isLenientlyPrepared || options.reducesScale && !name.hasSuffix(".png"))
                if error != nil, isRead { mended += 1 }
            }
        }
        #expect(refused > 1000 && mended > 500)
    }

    /// Flips bits, overwrites, cuts out or doubles a few bytes; for PNGs on demand with checksums that are right again.
    private func mutate(_ bytes: [UInt8], using random: inout SplitMix, repairing: Bool) -> [UInt8] {
        var result = bytes
        for _ in 0...Int.random(in: 0..<4, using: &random) {
            guard result.count > 16 else { break }
            let position = Int.random(in: 2..<result.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1: result[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: result[position] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
            case 3: result.removeSubrange(position..<min(position + 5, result.count))
            case 4: result.insert(contentsOf: result[max(0, position - 9)..<position], at: position)
            default: result = Array(result.prefix(position))
            }
        }
        return repairing ? repaired(result) : result
    }

    /// A PNG whose chunks, as far as they can be followed, have the checksums that they need.
    private func repaired(_ bytes: [UInt8]) -> [UInt8] {
        var result = bytes
        var offset = 8
        while offset + 12 <= result.count {
            let length = result[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
            guard length <= result.count - offset - 12 else { break }
            let end = offset + 8 + length
            let digits = checksum(Array(result[offset + 4..<end]))
            for byte in 0..<4 {
                let start = digits.index(digits.startIndex, offsetBy: byte * 2)
                result[end + byte] = UInt8(digits[start...].prefix(2), radix: 16) ?? 0
            }
            offset = end + 4
        }
        return result
    }
}
