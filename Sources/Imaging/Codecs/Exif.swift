/// The orientation in EXIF's TIFF structure: 1 to 8, or whatever value is stored.
///
/// Nil if the structure is damaged or states none.
package func exifOrientation(_ exif: ArraySlice<UInt8>) -> Int? {
    var data = exif
    for _ in 0..<2 where data.starts(with: exifPrefix) { data = data.dropFirst(exifPrefix.count) }
    let tiff = Array(data)
    guard tiff.count >= 8, tiff[0] == tiff[1], tiff[0] == UInt8(ascii: "I") || tiff[0] == UInt8(ascii: "M") else {
        return nil
    }
    let isLittleEndian = tiff[0] == UInt8(ascii: "I")
    func integer(at offset: Int, count: Int) -> Int? {
        guard offset >= 0, offset <= tiff.count - count else { return nil }
        let bytes = tiff[offset..<offset + count]
        return isLittleEndian
            ? bytes.reversed().reduce(0) { $0 << 8 | Int($1) } : bytes.reduce(0) { $0 << 8 | Int($1) }
    }
    guard integer(at: 2, count: 2) == 42, let directory = integer(at: 4, count: 4),
        let entryCount = integer(at: directory, count: 2)
    else { return nil }
    for entry in 0..<entryCount {
        let offset = directory + 2 + entry * 12
        guard let tag = integer(at: offset, count: 2), let type = integer(at: offset + 2, count: 2),
            let count = integer(at: offset + 4, count: 4)
        else { return nil }
        if tag != orientationTag || count != 1 { continue }
        switch type {
        case 1, 6: return integer(at: offset + 8, count: 1)
        case 3, 8: return integer(at: offset + 8, count: 2)
        case 4, 9: return integer(at: offset + 8, count: 4)
        default: return nil
        }
    }
    return nil
}

/// The orientation in an XMP packet; nil if it states none.
func xmpOrientation(_ packet: ArraySlice<UInt8>) -> Int? {
    let name = Array("tiff:Orientation".utf8)
    var rest = packet
    while let start = rest.firstIndex(of: name[0]) {
        rest = rest[start...]
        if rest.starts(with: name) {
            let value = rest.dropFirst(name.count)
            let attribute = Array("=\"".utf8)
            let digit =
                value.starts(with: attribute)
                ? value.dropFirst(2).first
                : value.first == UInt8(ascii: ">") ? value.dropFirst().first : nil
            if let digit, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) {
                return Int(digit - UInt8(ascii: "0"))
            }
        }
        rest = rest.dropFirst()
    }
    return nil
}

/// The prefix of EXIF data in a JPEG's application segment.
package let exifPrefix = Array("Exif\0\0".utf8)
/// The prefix of an XMP packet in a JPEG's application segment.
let xmpPrefix = Array("http://ns.adobe.com/xap/1.0/\0".utf8)
private let orientationTag = 0x0112
