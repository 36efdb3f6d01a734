/// File formats, recognized by signature.
package enum ImageFormat: Equatable {
    case png
    case jpeg
    /// Known, but not supported.
    case other(name: String)
    case unknown

    /// The number of bytes that the longest rule examines.
    package static let prefixCount = 512

    /// Recognizes the format from the first `prefixCount` bytes of a file.
    package init(of bytes: some Collection<UInt8>) {
        let start = Array(bytes.prefix(Self.prefixCount))
        if start.starts(with: Self.pngSignature) {
            self = .png
        } else if start.starts(with: [0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if let rule = Self.otherFormats.first(where: { $0.matches(start) }) {
            self = .other(name: rule.name)
        } else if let name = Self.textFormat(start) {
            self = .other(name: name)
        } else {
            self = .unknown
        }
    }

    package static let pngSignature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    /// A format's name and its signature bytes, at their offsets.
    private struct Rule {
        let name: String
        let marks: [(offset: Int, bytes: [UInt8])]

        init(_ name: String, _ marks: (Int, [UInt8])...) {
            self.name = name
            self.marks = marks.map { (offset: $0.0, bytes: $0.1) }
        }

        func matches(_ start: [UInt8]) -> Bool {
            marks.allSatisfy { mark in start.dropFirst(mark.offset).starts(with: mark.bytes) }
        }
    }

    private static var otherFormats: [Rule] {
        func ascii(_ text: String) -> [UInt8] { Array(text.utf8) }
        return [
            Rule("WebP", (0, ascii("RIFF")), (8, ascii("WEBP"))),
            Rule("GIF", (0, ascii("GIF8"))),
            Rule("BMP", (0, ascii("BM")), (6, [0, 0, 0, 0])),
            Rule("TIFF", (0, [0x49, 0x49, 0x2A, 0x00])),
            Rule("TIFF", (0, [0x4D, 0x4D, 0x00, 0x2A])),
            Rule("TIFF", (0, [0x49, 0x49, 0x2B, 0x00])),
            Rule("TIFF", (0, [0x4D, 0x4D, 0x00, 0x2B])),
            Rule("AVIF", (4, ascii("ftypavi"))),
            Rule("HEIC", (4, ascii("ftyphe"))),
            Rule("HEIC", (4, ascii("ftypmif1"))),
            Rule("HEIC", (4, ascii("ftypmsf1"))),
            Rule("Canon CR3", (4, ascii("ftypcrx"))),
            Rule("a video", (4, ascii("ftyp"))),
            Rule("JPEG 2000", (0, [0, 0, 0, 0x0C]), (4, ascii("jP  "))),
            Rule("JPEG 2000", (0, [0xFF, 0x4F, 0xFF, 0x51])),
            Rule("JPEG XL", (0, [0, 0, 0, 0x0C]), (4, ascii("JXL "))),
            Rule("JPEG XL", (0, [0xFF, 0x0A])),
            Rule("JPEG XR", (0, [0x49, 0x49, 0xBC])),
            Rule("Photoshop (PSD)", (0, ascii("8BPS"))),
            Rule("PDF", (0, ascii("%PDF-"))),
            Rule("PostScript", (0, ascii("%!PS"))),
            Rule("OpenEXR", (0, [0x76, 0x2F, 0x31, 0x01])),
            Rule("Radiance HDR", (0, ascii("#?RADIANCE"))),
            Rule("QOI", (0, ascii("qoif"))),
            Rule("DDS", (0, ascii("DDS "))),
            Rule("a Windows icon", (0, [0, 0, 1, 0])),
            Rule("an Apple icon", (0, ascii("icns"))),
            Rule("MNG", (0, [0x8A]), (1, ascii("MNG"))),
            Rule("JNG", (0, [0x8B]), (1, ascii("JNG"))),
            Rule("FITS", (0, ascii("SIMPLE  ="))),
            Rule("DICOM", (128, ascii("DICM"))),
            Rule("HDF5", (0, [0x89]), (1, ascii("HDF"))),
            Rule("a NumPy array", (0, [0x93]), (1, ascii("NUMPY"))),
            Rule("a zip archive", (0, [0x50, 0x4B, 0x03, 0x04])),
            Rule("a gzip archive", (0, [0x1F, 0x8B])),
        ]
    }

    /// Text formats, which may begin with white space or a byte-order mark.
    private static func textFormat(_ start: [UInt8]) -> String? {
        if start.count > 2, start[0] == UInt8(ascii: "P"), (UInt8(ascii: "1")...UInt8(ascii: "7")).contains(start[1]),
            start[2] == 0x0A || start[2] == 0x20 || start[2] == 0x0D
        {
            return "PNM"
        }
        let text = String(decoding: start, as: UTF8.self).lowercased().drop { $0.isWhitespace || $0 == "\u{FEFF}" }
        guard text.hasPrefix("<") else { return nil }
        if text.contains("<svg") { return "SVG" }
        if text.hasPrefix("<!doctype html") || text.hasPrefix("<html") { return "an HTML page" }
        return nil
    }
}
