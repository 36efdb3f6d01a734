import Support
import Testing

struct SHA1Tests {
    /// The examples of FIPS 180, and git's name of an empty file.
    @Test(arguments: [
        ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1"),
        ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"), ("blob 0\0", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"),
    ])
    func digests(text: String, hex: String) {
        var sum = SHA1()
        for byte in text.utf8 { sum.add([byte]) }
        #expect(sum.hex == hex)
        var whole = SHA1()
        whole.add(Array(text.utf8))
        #expect(whole.hex == hex)
    }

    @Test func manyBlocks() {
        var sum = SHA1()
        for _ in 0..<10_000 { sum.add([UInt8](repeating: UInt8(ascii: "a"), count: 100)) }
        #expect(sum.hex == "34aa973cd4c4daa4f61eeb2bdbad27316534016f")
    }
}
