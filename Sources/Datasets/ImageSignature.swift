import Support

/// Recognizes image files in a directory by name and by signature.
///
/// A directory of images also holds other files (README.md, labels.csv), which are skipped silently. But an image in an
/// unsupported format, or a damaged `.png`, must not vanish from the results. So a file counts as an image if it has the
/// extension or the signature of any known image format; decoding then decides. Files with a known extension are not
/// opened.
enum ImageSignature {
    /// The number of bytes that `matches` examines.
    static let byteCount = 16

    /// The images below a directory.
    static func walk(_ root: String) -> DirectoryWalk {
        DirectoryWalk(root: root, named: isImageName) { (path) throws(SystemError) in
            matches(try InputFile(path).read(upTo: byteCount))
        }
    }

    /// The archives below a directory, those among them that cannot be read in place.
    static func walkForArchives(_ root: String) -> DirectoryWalk {
        DirectoryWalk(root: root, named: { _ in false }) { (path) throws(SystemError) in
            if isImageName(path) { return false }
            return ArchiveFormat(try InputFile(path).read(upTo: ArchiveFormat.byteCount)) != nil
        }
    }

    /// The same choice of an archive's members. Labels beside images (WebDataset) have no place in it.
    static let selection = TarArchive.Selection(name: isImageName, head: matches, headCount: byteCount)

    private static let extensions: Set<String> = [
        "png", "apng", "jpg", "jpeg", "jpe", "jfif", "webp", "gif", "bmp", "tif", "tiff", "heic", "heif", "avif", "jxl",
        "jp2", "ppm", "pgm",
    ]

    /// Whether a name ends in the extension of an image format, in any case.
    static func isImageName(_ name: String) -> Bool {
        guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) else { return false }
        let suffix = name[name.utf8.index(after: dot)...]
        return suffix.utf8.count <= 4 && extensions.contains(suffix.lowercased())
    }

    /// Whether a file's first bytes are those of PNG, JPEG, GIF, WebP, BMP, TIFF, HEIF/AVIF, JPEG XL or JPEG 2000.
    static func matches(_ head: [UInt8]) -> Bool {
        func has(_ text: String, at offset: Int = 0) -> Bool { head.dropFirst(offset).starts(with: text.utf8) }
        func has(_ bytes: [UInt8]) -> Bool { head.starts(with: bytes) }
        let isPNG = has([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
        let isJPEG = has([0xFF, 0xD8, 0xFF])
        let isGIF = has("GIF87a") || has("GIF89a")
        let isWebP = has("RIFF") && has("WEBP", at: 8)
        // "BM" alone begins many a text; the reserved zeros settle it.
        let isBMP = has("BM") && head.count >= 10 && head[6..<10].allSatisfy { $0 == 0 }
        let isTIFF = has([0x49, 0x49, 0x2A, 0x00]) || has([0x4D, 0x4D, 0x00, 0x2A])
        let isHEIF = has("ftyp", at: 4) && ["avif", "avis", "heic", "heix", "mif1"].contains { has($0, at: 8) }
        let isJPEGXL = has([0xFF, 0x0A]) || has([0, 0, 0, 0x0C, 0x4A, 0x58, 0x4C, 0x20])
        let isJPEG2000 = has([0, 0, 0, 0x0C, 0x6A, 0x50, 0x20, 0x20])
        return isPNG || isJPEG || isGIF || isWebP || isBMP || isTIFF || isHEIF || isJPEGXL || isJPEG2000
    }
}
