/// A header block of a tar archive: POSIX's ustar, GNU's, or the older one that both extend.
///
/// Source: POSIX.1-2017, pax, "ustar Interchange Format"; the GNU tar manual, "Basic Tar Format".
struct TarHeader {
    /// What follows the block, as far as a reader of files cares.
    enum Kind {
        case file, hardLink, symbolicLink
        /// A directory, a device or a pipe: no data follow.
        case noFile
        /// GNU: the next header's name, or the target of its link.
        case longName, longLink
        /// POSIX: records for the next header, or for all that follow.
        case extended, globallyExtended
        /// GNU's own sparse file, whose data are parts of it.
        case sparse
        /// Part of a file whose rest is in another volume, and other kinds of which nothing is known but the size.
        case other
    }

    static let blockSize = 512

    let kind: Kind
    /// The bytes of the name, as they are.
    let name: [UInt8]
    /// The bytes of a link's target.
    let target: [UInt8]
    /// The size of the data that follow.
    let size: Int
    /// Whether more blocks of a map follow that of a sparse file.
    let isContinued: Bool

    /// Whether the first block of a file is a header; a damaged one of ustar counts, too.
    static func begins(_ file: [UInt8]) -> Bool {
        guard file.count >= blockSize else { return false }
        let block = file.span.extracting(..<blockSize)
        return has("ustar", at: 257, in: block) || isWhole(block) && block[0] != 0
    }

    /// Reads a block of 512 bytes; nil where it is no header.
    init?(_ block: Span<UInt8>) {
        guard Self.isWhole(block), let size = Self.number(block.extracting(124..<136)) else { return nil }
        self.size = size
        let isPOSIX = Self.has("ustar\0", at: 257, in: block)
        // The `star` program has times behind a shorter prefix.
        let prefixEnd = Self.has("tar\0", at: 508, in: block) ? 476 : 500
        let prefix = isPOSIX ? Self.text(block.extracting(345..<prefixEnd)) : []
        let name = Self.text(block.extracting(0..<100))
        self.name = prefix.isEmpty ? name : prefix + [UInt8(ascii: "/")] + name
        target = Self.text(block.extracting(157..<257))
        kind = Self.kind(block[156], isFolder: name.last == UInt8(ascii: "/"))
        isContinued = block[482] != 0
    }

    private static func kind(_ flag: UInt8, isFolder: Bool) -> Kind {
        switch flag {
        case UInt8(ascii: "0"), 0, UInt8(ascii: "7"): isFolder ? .noFile : .file
        case UInt8(ascii: "1"): .hardLink
        case UInt8(ascii: "2"): .symbolicLink
        case UInt8(ascii: "3")...UInt8(ascii: "6"): .noFile
        case UInt8(ascii: "L"): .longName
        case UInt8(ascii: "K"): .longLink
        case UInt8(ascii: "x"), UInt8(ascii: "X"): .extended
        case UInt8(ascii: "g"): .globallyExtended
        case UInt8(ascii: "S"): .sparse
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): .other
        // POSIX: what is unknown is a regular file.
        default: .file
        }
    }

    /// Whether the checksum is right. Old programs added signed bytes.
    private static func isWhole(_ block: Span<UInt8>) -> Bool {
        guard let stated = number(block.extracting(148..<156)) else { return false }
        var (sum, signedSum) = (0, 0)
        for index in block.indices {
            let byte = (148..<156).contains(index) ? UInt8(ascii: " ") : block[index]
            sum += Int(byte)
            signedSum += Int(Int8(bitPattern: byte))
        }
        return stated == sum || stated == signedSum
    }

    static func isZero(_ block: Span<UInt8>) -> Bool {
        for index in block.indices where block[index] != 0 { return false }
        return true
    }

    private static func has(_ text: StaticString, at offset: Int, in block: Span<UInt8>) -> Bool {
        for index in 0..<text.utf8CodeUnitCount where unsafe block[offset + index] != text.utf8Start[index] {
            return false
        }
        return true
    }

    /// The bytes of a field up to its first 0.
    private static func text(_ field: Span<UInt8>) -> [UInt8] {
        var count = 0
        while count < field.count, field[count] != 0 { count += 1 }
        return unsafe field.extracting(..<count).withUnsafeBufferPointer { unsafe Array($0) }
    }

    /// A number in octal digits, or in base 256 where the highest bit is set; nil where it is neither, or is negative.
    static func number(_ field: Span<UInt8>) -> Int? {
        if field[0] & 0x80 != 0 {
            // The next bit is the sign.
            var value = Int(field[0] & 0x7F)
            guard value < 0x40 else { return nil }
            for index in 1..<field.count {
                guard value <= Int.max >> 8 else { return nil }
                value = value << 8 | Int(field[index])
            }
            return value
        }
        var (value, place) = (0, 0)
        while place < field.count, field[place] == UInt8(ascii: " ") { place += 1 }
        while place < field.count, (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(field[place]) {
            value = value << 3 | Int(field[place] & 7)
            place += 1
        }
        let isEnded = place == field.count || field[place] == 0 || field[place] == UInt8(ascii: " ")
        return isEnded ? value : nil
    }
}
