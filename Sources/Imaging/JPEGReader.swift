import CImageCodecs
import Support

/// A JPEG in memory whose rows come from the top down: baseline and progressive, Huffman or arithmetic coding, grey,
/// YCbCr, RGB, CMYK and YCCK.
@safe struct JPEGReader: ~Copyable {
    /// The size that the file tells.
    let width: Int
    let height: Int
    /// Whether the file holds brightness only.
    let isGrey: Bool
    private let reader: OpaquePointer

    /// More scans than any encoder writes; each costs a pass over the whole image.
    private static let scanLimit: Int32 = 500

    /// Reads as far as the image's size. The bytes must stay valid as long as the reader is in use.
    init(_ bytes: UnsafeBufferPointer<UInt8>) throws(ImageError) {
        var info = codecs_info()
        var failure = codecs_error()
        guard let reader = unsafe codecs_open_jpeg(bytes.baseAddress, bytes.count, &info, &failure) else {
            throw ImageError(failure, format: "JPEG")
        }
        unsafe self.reader = reader
        width = Int(info.width)
        height = Int(info.height)
        isGrey = info.is_grey != 0
    }

    deinit { unsafe codecs_close_jpeg(reader) }

    /// Begins to decode; to be called once. Returns the size that the rows have: so many eighths of the file's, rounded
    /// up, where `eighths` is 8, 4, 2 or 1.
    func start(channels: Int, eighths: Int = 8) throws(ImageError) -> Size {
        var decoded = codecs_info()
        try check { failure in
            unsafe codecs_start_jpeg(reader, Int32(channels), Int32(eighths), Self.scanLimit, &decoded, &failure)
        }
        return Size(height: Int(decoded.height), width: Int(decoded.width))
    }

    /// Leaves out columns on both sides; to be called before the first row.
    ///
    /// Rows are `width` columns long before, and afterwards those that are returned: at least `columns`, which come out as
    /// they would without this.
    func crop(to columns: Range<Int>, of width: Int) throws(ImageError) -> Range<Int> {
        // libjpeg smooths colours as if there were nothing beyond an edge, and not at all in very narrow rows.
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

    /// Passes over rows, at a part of the cost; others must follow.
    func skip(_ count: Int) throws(ImageError) {
        try check { failure in unsafe codecs_skip_jpeg_rows(reader, count, &failure) }
    }

    /// Passes over all that is left, so that damage there is found, too; `row` has room for one row.
    func finish(passing row: UnsafeMutablePointer<UInt8>) throws(ImageError) {
        try check { failure in unsafe codecs_finish_jpeg(reader, row, &failure) }
    }

    private func check(_ call: (inout codecs_error) -> Int32) throws(ImageError) {
        var failure = codecs_error()
        if call(&failure) == 0 { throw ImageError(failure, format: "JPEG") }
    }
}
