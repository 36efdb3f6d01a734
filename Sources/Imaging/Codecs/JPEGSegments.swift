/// The segments of a JPEG before its first scan.
struct JPEGSegments {
    /// The kind of JPEG, if it is unsupported.
    private(set) var unreadableKind: String?
    private var exif: [UInt8] = []
    private var xmp: ArraySlice<UInt8> = []

    /// The orientation in EXIF, else in XMP, else 1.
    var orientation: Int {
        exifOrientation(exif[...]) ?? xmpOrientation(xmp) ?? 1
    }

    /// Parses the segments up to the first damage, which the decoder will report.
    init(_ bytes: [UInt8]) {
        var offset = 2
        while offset < bytes.count {
            // Anything but a marker is skipped between segments; a marker may be preceded by any number of 0xFF.
            guard bytes[offset] == 0xFF, offset + 1 < bytes.count, bytes[offset + 1] != 0xFF else {
                offset += 1
                continue
            }
            let marker = bytes[offset + 1]
            offset += 2
            if marker == 0 || marker == 0x01 || (0xD0...0xD8).contains(marker) { continue }
            if marker == 0xD9 || marker == 0xDA { return }
            guard offset + 2 <= bytes.count else { return }
            let length = Int(bytes[offset]) << 8 | Int(bytes[offset + 1])
            guard length >= 2, length <= bytes.count - offset else { return }
            note(marker, bytes[offset + 2..<offset + length])
            offset += length
        }
    }

    private mutating func note(_ marker: UInt8, _ content: ArraySlice<UInt8>) {
        switch marker {
        case 0xE1 where content.starts(with: exifPrefix):
            // Long EXIF data span several segments.
            exif += content.dropFirst(exif.isEmpty ? 0 : exifPrefix.count)
        case 0xE1 where content.starts(with: xmpPrefix):
            xmp = content.dropFirst(xmpPrefix.count)
        case 0xC3, 0xCB:
            unreadableKind = "a lossless"
        case 0xC5...0xC7, 0xCD...0xCF, 0xDE:
            unreadableKind = marker == 0xC7 || marker == 0xCF ? "a hierarchical lossless" : "a hierarchical"
        case 0xC0...0xC2, 0xC9, 0xCA:
            if let precision = content.first, precision != 8, (2...16).contains(precision) {
                unreadableKind = "a \(precision)-bit"
            }
        default:
            break
        }
    }
}
