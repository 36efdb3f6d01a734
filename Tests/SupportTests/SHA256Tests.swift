import Support
import Testing

struct SHA256Tests {
    /// NIST's examples for FIPS 180-4 (one block, two blocks) and its long message, and the empty one of the CAVP vectors.
    @Test(arguments: [
        ("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        ("a", 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
        ("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ])
    func publishedDigests(_ text: String, count: Int, digest: String) {
        let bytes = Array(String(repeating: text, count: count).utf8)
        #expect(SHA256(of: bytes).hex == digest)
        #expect(SHA256(portablyOf: bytes).hex == digest)
    }

    /// Around the places where the padding takes another block.
    @Test(arguments: [55, 56, 57, 63, 64, 65, 119, 120, 128, 1000])
    func bothWaysAgree(_ count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
        #expect(SHA256(of: bytes) == SHA256(portablyOf: bytes))
        #expect(SHA256(of: bytes) != SHA256(of: bytes + [0]))
    }

    @Test func piecesHaveTheDigestOfTheWhole() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
        var sum = SHA256.Sum()
        var start = 0
        for count in [0, 1, 63, 64, 65, 200, 7, 600] {
            #expect(sum.digest == SHA256(of: Array(bytes[..<start])))
            sum.add(Array(bytes[start..<start + count]))
            start += count
        }
        #expect(start == 1000 && sum.digest == SHA256(of: bytes))
    }

    @Test func hexadecimalDigits() {
        let digest = SHA256(of: [1, 2, 3])
        #expect(SHA256(hex: digest.hex) == digest)
        #expect(SHA256(hex: String(digest.hex.dropLast())) == nil)
        #expect(SHA256(hex: String(repeating: "+f", count: 32)) == nil)
        #expect(SHA256(hex: String(repeating: "g", count: 64)) == nil)
    }
}
