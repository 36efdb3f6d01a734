import CImageCodecs
import Support

/// Decodes a JPEG in memory row by row: baseline and progressive, Huffman and arithmetic coding, grey, YCbCr, RGB, CMYK and
/// YCCK.
@safe package struct JPEGReader: ~Copyable {
    /// The size in the header.
    let width: Int
    let height: Int
    /// Whether the file is greyscale.
    let isGrey: Bool
    private let reader: OpaquePointer

    /// The maximum number of scans of an image with so many pixels: 500, or 100 of a large one. Encoders write some ten; each
    /// is a pass over the whole image, and may take a few bytes of the file alone.
    package static func scanLimit(pixelCount: Int) -> Int {
        min(500, max(100, 2_000_000_000 / max(pixelCount, 1)))
    }

    /// Reads the header. The bytes must outlive the reader.
    ///
    /// - Parameter isLenient: whether pixels that damage hides are invented; see `damage`.
    init(_ bytes: UnsafeBufferPointer<UInt8>, isLenient: Bool = false) throws(ImageError) {
        var info = codecs_info()
        var failure = codecs_error()
        guard
            let reader = unsafe codecs_open_jpeg(
                bytes.baseAddress, bytes.count, isLenient ? 1 : 0, &info, &failure)
        else {
            throw ImageError(failure, format: "JPEG")
        }
        unsafe self.reader = reader
        width = Int(info.width)
        height = Int(info.height)
        isGrey = info.is_grey != 0
    }

    deinit { unsafe codecs_close_jpeg(reader) }

    /// The damage that a lenient reader has met so far.
    var damage: ImageError? {
        var damage = codecs_error()
        return unsafe codecs_damage_of_jpeg(reader, &damage) != 0 ? ImageError(damage, format: "JPEG") : nil
    }

    /// Starts decoding; call it once. Returns the size of the decoded image: `eighths` (8, 4, 2 or 1) eighths of the file's,
    /// rounded up.
    func start(channels: Int, eighths: Int = 8) throws(ImageError) -> Size {
        var decoded = codecs_info()
        let scans = Int32(Self.scanLimit(pixelCount: width * height))
        try check { failure in
            unsafe codecs_start_jpeg(reader, Int32(channels), Int32(eighths), scans, &decoded, &failure)
        }
        return Size(height: Int(decoded.height), width: Int(decoded.width))
    }

    /// Limits decoding to some columns; call it before the first row.
    ///
    /// Returns the range of decoded columns, out of `width`: it contains `columns`, whose pixels are the same as without the
    /// crop.
    func crop(to columns: Range<Int>, of width: Int) throws(ImageError) -> Range<Int> {
        // At the edges of a crop, libjpeg upsamples chroma without neighbours, and does not smooth very narrow rows at all.
        let margin = 8
        var first = UInt32(max(columns.lowerBound - margin, 0))
        var count = UInt32(min(columns.upperBound + margin, width)) - first
        try check { failure in unsafe codecs_crop_jpeg(reader, &first, &count, &failure) }
        return Int(first)..<Int(first + count)
    }

    /// Decodes the next `count` rows.
    func read(_ count: Int, into rows: UnsafeMutablePointer<UInt8>) throws(ImageError) {
        try check { failure in unsafe codecs_read_jpeg_rows(reader, count, rows, &failure) }
    }

    /// Skips rows at lower cost; others must follow.
    func skip(_ count: Int) throws(ImageError) {
        try check { failure in unsafe codecs_skip_jpeg_rows(reader, count, &failure) }
    }

    /// Decodes the rest of the file to find damage; `row` is a buffer of one row.
    func finish(passing row: UnsafeMutablePointer<UInt8>) throws(ImageError) {
        try check { failure in unsafe codecs_finish_jpeg(reader, row, &failure) }
    }

    private func check(_ call: (inout codecs_error) -> Int32) throws(ImageError) {
        var failure = codecs_error()
        if call(&failure) == 0 { throw ImageError(failure, format: "JPEG") }
    }
}
