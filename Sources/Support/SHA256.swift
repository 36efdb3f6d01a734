import CKernels

/// The SHA-256 of a file's content (FIPS 180-4), by which a change of it shows.
package struct SHA256: Sendable, Hashable {
    /// The 32 bytes.
    package let bytes: [UInt8]

    /// A digest that was computed elsewhere.
    package init(bytes: [UInt8]) {
        precondition(bytes.count == 32, "SHA256: expected 32 bytes, got \(bytes.count)")
        self.bytes = bytes
    }

    /// The digest of `content`.
    package init(of content: [UInt8]) {
        unsafe self.init(
            of: content, process: { state, blocks, count in unsafe vit_sha256_blocks(state, blocks, count) })
    }

    /// The same without the processor's own instructions for it.
    package init(portablyOf content: [UInt8]) {
        unsafe self.init(
            of: content,
            process: { state, blocks, count in unsafe vit_sha256_blocks_portable(state, blocks, count) })
    }

    fileprivate typealias Process = (UnsafeMutablePointer<UInt32>, UnsafePointer<UInt8>, Int) -> Void

    private init(of content: [UInt8], process: Process) {
        var sum = Sum()
        unsafe sum.process(content, by: process)
        self = unsafe sum.digest(by: process)
    }

    /// The digest of content that comes in pieces.
    package struct Sum {
        // The first 32 bits of the fractional parts of the square roots of the first 8 primes.
        private var state: [UInt32] = [
            0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
        ]
        /// What does not fill a block yet.
        private var rest: [UInt8] = []
        private var count = 0

        package init() {}

        /// Adds the next piece.
        package mutating func add(_ piece: [UInt8]) {
            unsafe process(piece, by: { state, blocks, count in unsafe vit_sha256_blocks(state, blocks, count) })
        }

        /// The digest of the pieces so far.
        package var digest: SHA256 {
            unsafe digest(by: { state, blocks, count in unsafe vit_sha256_blocks(state, blocks, count) })
        }

        fileprivate mutating func process(_ piece: [UInt8], by process: Process) {
            count += piece.count
            let content = rest.isEmpty ? piece : rest + piece
            let wholeBlocks = content.count / 64
            rest = Array(content[(wholeBlocks * 64)...])
            unsafe content.withUnsafeBufferPointer { buffer in
                if let address = buffer.baseAddress { unsafe process(&state, address, wholeBlocks) }
            }
        }

        fileprivate func digest(by process: Process) -> SHA256 {
            var end: [UInt8] = [0x80]
            end += [UInt8](repeating: 0, count: (64 + 56 - (rest.count + 1) % 64) % 64)
            for shift in stride(from: 56, through: 0, by: -8) { end.append(UInt8((count * 8) >> shift & 0xFF)) }
            var sum = self
            unsafe sum.process(end, by: process)
            return SHA256(state: sum.state)
        }
    }

    private init(state: [UInt32]) { bytes = state.flatMap { word in [24, 16, 8, 0].map { UInt8(word >> $0 & 0xFF) } } }

    /// The digest that 64 hexadecimal digits stand for; nil for other text.
    package init?(hex: String) {
        guard hex.utf8.count == 64 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        var high: UInt8?
        for digit in hex.utf8 {
            guard let value = Self.value(ofDigit: digit) else { return nil }
            if let half = high { bytes.append(half << 4 | value) }
            high = high == nil ? value : nil
        }
        self.bytes = bytes
    }

    private static func value(ofDigit digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// 64 hexadecimal digits.
    package var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
