/// Reads the fields of a message in the wire format of protocol buffers.
struct ProtobufFields {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    enum Value {
        case integer(UInt64)
        case fixed32(UInt32)
        case bytes(ArraySlice<UInt8>)
    }

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    var isAtEnd: Bool { position == bytes.endIndex }

    /// The next field and its number; nil where the message is damaged.
    mutating func next() -> (number: UInt64, value: Value)? {
        guard let key = varint() else { return nil }
        switch key & 7 {
        case 0: return varint().map { (key >> 3, .integer($0)) }
        case 1: return take(8).map { (key >> 3, .bytes($0)) }
        case 2:
            guard let count = varint().flatMap({ Int(exactly: $0) }) else { return nil }
            return take(count).map { (key >> 3, .bytes($0)) }
        case 5:
            guard let field = take(4) else { return nil }
            return (key >> 3, .fixed32(field.reversed().reduce(0) { $0 << 8 | UInt32($1) }))
        default: return nil
        }
    }

    private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count <= bytes.endIndex - position else { return nil }
        defer { position += count }
        return bytes[position..<position + count]
    }

    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 64, by: 7) {
            guard position < bytes.endIndex else { return nil }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << UInt64(shift)
            if byte < 0x80 { return value }
        }
        return nil
    }
}
