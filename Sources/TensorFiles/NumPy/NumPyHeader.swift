/// What the head of a NumPy array says.
///
/// Source: NumPy's description of the npy format, versions 1 to 3.
package struct NumPyHeader: Sendable {
    /// The type of the numbers in NumPy's letters: `<f4`.
    package let descriptor: String
    /// Whether the first index runs fastest (`fortran_order`).
    package let isColumnMajor: Bool
    /// The extent of each dimension.
    package let shape: [Int]
    /// The bytes before the first number.
    package let length: Int

    /// No header is longer than this.
    package static let longest = 12 + 1 << 16

    /// Whether a file that begins with `bytes` is a NumPy array.
    package static func isArray(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x93] + Array("NUMPY".utf8)) }

    /// The header of an array that begins with `bytes`; nil where it is none, or lacks something.
    package init?(_ bytes: [UInt8]) {
        guard Self.isArray(bytes), bytes.count >= 12 else { return nil }
        let isShort = bytes[6] == 1
        let start = isShort ? 10 : 12
        let textLength = bytes[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard textLength <= 1 << 16, textLength <= bytes.count - start,
            let header = String(validating: bytes[start..<start + textLength], as: UTF8.self),
            let descriptor = Self.string("descr", header), let isColumnMajor = Self.word("fortran_order", header),
            let shape = Self.shape(header)
        else { return nil }
        self.descriptor = descriptor
        self.isColumnMajor = isColumnMajor == "True"
        self.shape = shape
        length = start + textLength
    }

    /// The head of an array in C order: version 1.0, always of 128 bytes, so that the shape can be filled in later.
    package static func bytes(descriptor: String, shape: [Int]) -> [UInt8] {
        let length = 128
        var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length - 10), 0]
        let extents = shape.map(String.init).joined(separator: ", ")
        bytes += Array("{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (\(extents)), }".utf8)
        bytes += [UInt8](repeating: UInt8(ascii: " "), count: length - 1 - bytes.count)
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    /// What follows a key of Python's dictionary literal.
    private static func value(_ key: String, _ header: String) -> Substring? {
        guard let range = header.firstRange(of: "'\(key)':") else { return nil }
        return header[range.upperBound...].drop { $0 == " " }
    }

    private static func string(_ key: String, _ header: String) -> String? {
        guard let value = value(key, header), value.first == "'" else { return nil }
        return String(value.dropFirst().prefix { $0 != "'" })
    }

    private static func word(_ key: String, _ header: String) -> String? {
        value(key, header).map { String($0.prefix { $0.isLetter }) }
    }

    private static func shape(_ header: String) -> [Int]? {
        guard let value = value("shape", header), value.first == "(", let end = value.firstIndex(of: ")") else {
            return nil
        }
        let extents = value[value.index(after: value.startIndex)..<end].split(separator: ",")
            .map { String($0.filter { $0 != " " }) }.filter { !$0.isEmpty }
        let shape = extents.compactMap { Int($0) }
        return shape.count == extents.count && shape.allSatisfy { $0 >= 0 } ? shape : nil
    }
}
