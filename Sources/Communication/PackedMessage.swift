import Support

/// Values one after another as bytes, for another process of the same program; they are read in the order in which they
/// were written.
package struct PackedMessage: Sendable {
    private(set) package var bytes: [UInt8]
    private var position = 0

    package init(_ bytes: [UInt8] = []) { self.bytes = bytes }

    package var isAtEnd: Bool { position == bytes.count }

    package mutating func append(_ value: Int) { bytes += littleEndian(UInt64(bitPattern: Int64(value))) }

    package mutating func append(_ value: Double) { bytes += littleEndian(value.bitPattern) }

    package mutating func append(_ text: String) { append(bytes: Array(text.utf8)) }

    package mutating func append(bytes content: [UInt8]) {
        append(content.count)
        bytes += content
    }

    package mutating func append(_ values: [Float]) {
        append(values.count)
        unsafe values.withUnsafeBytes { unsafe bytes += $0 }
    }

    package mutating func integer() -> Int { Int(Int64(bitPattern: word())) }

    package mutating func double() -> Double { Double(bitPattern: word()) }

    package mutating func text() -> String { String(decoding: content(), as: UTF8.self) }

    package mutating func content() -> [UInt8] { Array(take(integer())) }

    package mutating func floats() -> [Float] {
        let count = integer()
        let part = take(count * MemoryLayout<Float>.size)
        return unsafe [Float](unsafeUninitializedCapacity: count) { memory, initialized in
            unsafe UnsafeMutableRawBufferPointer(memory).copyBytes(from: part)
            initialized = count
        }
    }

    private mutating func word() -> UInt64 {
        take(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private mutating func take(_ count: Int) -> ArraySlice<UInt8> {
        precondition(
            count >= 0 && count <= bytes.count - position,
            "PackedMessage: \(count) more bytes were expected, \(bytes.count - position) are left")
        defer { position += count }
        return bytes[position..<position + count]
    }
}
