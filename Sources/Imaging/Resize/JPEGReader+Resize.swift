import CKernels
import Support

extension JPEGReader {
    /// Resizes the rows as they are decoded.
    ///
    /// Only the rows and columns needed are decoded and resampled, and the whole image is never in memory. Call it on a started
    /// reader of `size` and `channels`. Unless `readsAll`, damage below the last row needed is not found.
    func resized(
        _ resize: StoredResize, from size: Size, channels: Int, readsAll: Bool
    ) throws(ImageError) -> Image {
        let columns = try crop(to: resize.neededColumns, of: size.width)
        try skip(resize.neededRows.lowerBound)
        let rows = RowWindow(
            resize.neededRows, stride: columns.count * channels, kept: resize.takesRowsFirst ? resize.rows.span : 0)
        let result =
            if resize.takesRowsFirst {
                try resampledVertically(resize, rows, columns: columns, channels: channels)
            } else {
                try resampledHorizontally(resize, rows, columns: columns, channels: channels)
            }
        if readsAll { try rows.finish(self) }
        return result.oriented(resize.isTransposed ? 5 : 1)
    }

    private func resampledHorizontally(
        _ resize: StoredResize, _ rows: RowWindow, columns: Range<Int>, channels: Int
    ) throws(ImageError) -> Image {
        let resampler = RowResampler(resize.columns.droppingInputs(columns.lowerBound), channels: channels)
        let window = resize.neededRows
        let width = resize.columns.starts.count
        let first = try unsafe Image(width: width, height: window.count, channels: channels) {
            (output) throws(ImageError) in
            for start in stride(from: window.lowerBound, to: window.upperBound, by: RowWindow.step) {
                let block = start..<min(start + RowWindow.step, window.upperBound)
                unsafe resampler.resample(
                    try rows.show(block, of: self), stride: columns.count * channels,
                    count: block.count, into: output + (start - window.lowerBound) * width * channels)
            }
        }
        return first.withVertical(resize.rows.droppingInputs(window.lowerBound), columns: 0..<width)
    }

    private func resampledVertically(
        _ resize: StoredResize, _ rows: RowWindow, columns: Range<Int>, channels: Int
    ) throws(ImageError) -> Image {
        let needed = resize.neededColumns
        let rowBytes = needed.count * channels
        let first = try unsafe Image(width: needed.count, height: resize.rows.starts.count, channels: channels) {
            (output) throws(ImageError) in
            // From the top down, which is backwards if the image is upside down.
            for row in resize.rows.starts.indices.sorted(by: { resize.rows.starts[$0] < resize.rows.starts[$1] }) {
                let input = unsafe try rows.show(resize.rows.inputs(of: row), of: self)
                unsafe resize.rows.only(row).withKernelTaps { taps in
                    unsafe vit_resample_columns(
                        input + (needed.lowerBound - columns.lowerBound) * channels, columns.count * channels, rowBytes,
                        taps, output + row * rowBytes, rowBytes, 1)
                }
            }
        }
        return first.withHorizontal(resize.columns.droppingInputs(needed.lowerBound), rows: 0..<first.height)
    }
}

/// A sliding window over the rows of a JPEG.
@safe
private final class RowWindow {
    /// Rows decoded at a time: as many as libjpeg decodes at a time, which are then still in the cache.
    static let step = 16

    private let stride: Int
    private let capacity: Int
    private let buffer: UnsafeMutableBufferPointer<UInt8>
    private let end: Int
    private var held: Range<Int>

    /// A window over `rows` of `stride` bytes each, the first of which is decoded next; fewer than `kept` rows are used again
    /// together with new ones.
    init(_ rows: Range<Int>, stride: Int, kept: Int) {
        self.stride = stride
        // Larger, so that rows rarely have to be moved to the front.
        capacity = min(2 * kept, rows.count) + Self.step
        unsafe buffer = .allocate(capacity: capacity * stride)
        end = rows.upperBound
        held = rows.lowerBound..<rows.lowerBound
    }

    deinit { unsafe buffer.deallocate() }

    /// The address of rows `wanted`, which are consecutive; the ranges must not move up.
    func show(_ wanted: Range<Int>, of reader: borrowing JPEGReader) throws(ImageError) -> UnsafePointer<UInt8> {
        guard let start = unsafe buffer.baseAddress else { throw .outOfMemory }
        while held.upperBound < wanted.upperBound {
            let count = min(Self.step, end - held.upperBound)
            if held.count + count > capacity {
                let kept = min(wanted.lowerBound, held.upperBound)..<held.upperBound
                unsafe start.update(
                    from: start + (kept.lowerBound - held.lowerBound) * stride, count: kept.count * stride)
                held = kept
            }
            try unsafe reader.read(count, into: start + held.count * stride)
            held = held.lowerBound..<held.upperBound + count
        }
        return unsafe UnsafePointer(start + (wanted.lowerBound - held.lowerBound) * stride)
    }

    /// Decodes the rest of the file.
    func finish(_ reader: borrowing JPEGReader) throws(ImageError) {
        guard let start = unsafe buffer.baseAddress else { throw .outOfMemory }
        try unsafe reader.finish(passing: start)
    }
}
