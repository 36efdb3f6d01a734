import CKernels
import Support

extension Image {
    /// The resized image, bit-identical to Pillow 13's `resize`.
    ///
    /// `box` is the part of the image to resize, in fractional pixels, within the image; nil: all of it. Images with alpha are
    /// resized with premultiplied colours, as in Pillow.
    public func resized(
        width: Int, height: Int, interpolation: Interpolation,
        box: (x: Double, y: Double, width: Double, height: Double)? = nil
    ) -> Image {
        let window = Window(x: 0, y: 0, width: width, height: height)
        return resized(width: width, height: height, interpolation: interpolation, box: box, window: window)
    }

    /// The part `window` of the resized image, without computing the rest. The window lies within the result.
    package func resized(
        width: Int, height: Int, interpolation: Interpolation, box: PixelBox? = nil, window: Window
    ) -> Image {
        let plan = ResizePlan(
            of: Size(height: self.height, width: self.width),
            to: Size(height: height, width: width), interpolation: interpolation, box: box,
            window: window)
        if plan.isUnchanged { return cropped(x: window.x, y: window.y, width: window.width, height: window.height) }
        if interpolation == .nearest { return picked(columns: plan.columns.nearest(), rows: plan.rows.nearest()) }
        let source = hasAlpha ? premultiplied() : self
        let result =
            plan.takesRowsFirst
            ? source.resampledVertically(plan.rows, interpolation, thenHorizontally: plan.columns)
            : source.resampledHorizontally(plan.columns, interpolation, thenVertically: plan.rows)
        return hasAlpha ? result.unpremultiplied() : result
    }

    private func resampledHorizontally(
        _ columns: ResampleAxis, _ filter: Interpolation, thenVertically rows: ResampleAxis
    ) -> Image {
        let rowTaps = rows.isUnchanged ? nil : ResampleTaps(rows, filter: filter)
        let needed = rowTaps?.inputRange ?? rows.range
        let first =
            columns.isUnchanged
            ? cropped(
                x: columns.range.lowerBound, y: needed.lowerBound, width: columns.range.count, height: needed.count)
            : withHorizontal(ResampleTaps(columns, filter: filter), rows: needed)
        guard let rowTaps else { return first }
        return first.withVertical(rowTaps.droppingInputs(needed.lowerBound), columns: 0..<first.width)
    }

    private func resampledVertically(
        _ rows: ResampleAxis, _ filter: Interpolation, thenHorizontally columns: ResampleAxis
    ) -> Image {
        let columnTaps = columns.isUnchanged ? nil : ResampleTaps(columns, filter: filter)
        let needed = columnTaps?.inputRange ?? columns.range
        let first = withVertical(ResampleTaps(rows, filter: filter), columns: needed)
        guard let columnTaps else { return first }
        return first.withHorizontal(columnTaps.droppingInputs(needed.lowerBound), rows: 0..<first.height)
    }

    /// Rows `rows` of the image, resampled horizontally.
    func withHorizontal(_ taps: ResampleTaps, rows: Range<Int>) -> Image {
        let width = taps.starts.count
        let resampler = RowResampler(taps, channels: channels)
        return unsafe Image(width: width, height: rows.count, channels: channels) { output in
            unsafe pixels.withUnsafeBufferPointer { input in
                guard let address = input.baseAddress else { return }
                unsafe resampler.resample(
                    address + rows.lowerBound * stride, stride: stride, count: rows.count, into: output)
            }
        }
    }

    /// Columns `columns` of the image, resampled vertically.
    func withVertical(_ taps: ResampleTaps, columns: Range<Int>) -> Image {
        let height = taps.starts.count
        let outputStride = columns.count * channels
        return unsafe Image(width: columns.count, height: height, channels: channels) { output in
            unsafe pixels.withUnsafeBufferPointer { input in
                guard let address = input.baseAddress else { return }
                unsafe taps.withKernelTaps { taps in
                    unsafe vit_resample_columns(
                        address + columns.lowerBound * channels, stride, outputStride, taps, output, outputStride,
                        height)
                }
            }
        }
    }

    /// The pixels at the intersections of some columns and rows.
    private func picked(columns: [Int], rows: [Int]) -> Image {
        var result: [UInt8] = []
        result.reserveCapacity(columns.count * rows.count * channels)
        for row in rows {
            for column in columns {
                let pixel = row * stride + column * channels
                result.append(contentsOf: pixels[pixel..<pixel + channels])
            }
        }
        return Image(width: columns.count, height: rows.count, channels: channels, pixels: result)
    }

    private func premultiplied() -> Image {
        unsafe Image(width: width, height: height, channels: channels) { output in
            unsafe pixels.withUnsafeBufferPointer { input in
                guard let address = input.baseAddress else { return }
                unsafe vit_premultiply(address, width * height, Int32(channels), output)
            }
        }
    }

    private func unpremultiplied() -> Image {
        var pixels = pixels
        unsafe pixels.withUnsafeMutableBufferPointer { buffer in
            guard let address = buffer.baseAddress else { return }
            unsafe vit_unpremultiply(address, width * height, Int32(channels))
        }
        return Image(width: width, height: height, channels: channels, pixels: pixels)
    }
}

/// A rectangle of whole pixels.
package struct Window: Equatable {
    package var x: Int
    package var y: Int
    package var width: Int
    package var height: Int

    package init(x: Int, y: Int, width: Int, height: Int) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }

    var columns: Range<Int> { x..<x + width }
    var rows: Range<Int> { y..<y + height }
}
