import CKernels

extension Image {
    /// A copy of another size, equal to Pillow's `resize` to the bit.
    ///
    /// `box` is the part of the image that is scaled, in pixels and fractions of them; left out, all of it. It lies
    /// within the image. Images with alpha are scaled with their colours multiplied by it, as Pillow does.
    public func resized(
        width: Int, height: Int, interpolation: Interpolation,
        box: (x: Double, y: Double, width: Double, height: Double)? = nil
    ) -> Image {
        resized(width: width, height: height, interpolation: interpolation, box: box, window: nil)
    }

    /// The part `window` of what `resized` gives, without computing the rest. The window lies within the result.
    func resized(
        width: Int, height: Int, interpolation: Interpolation,
        box: (x: Double, y: Double, width: Double, height: Double)?, window: Window?
    ) -> Image {
        precondition(width > 0 && height > 0, "Image.resized: expected a positive size, got \(width) × \(height)")
        let box = ResampleBox(box, width: self.width, height: self.height)
        precondition(box.isInside(width: self.width, height: self.height), "Image.resized: the box is not in the image")
        let window = window ?? Window(x: 0, y: 0, width: width, height: height)
        if width == self.width && height == self.height && box.isWhole(width: width, height: height) {
            return cropped(x: window.x, y: window.y, width: window.width, height: window.height)
        }
        if interpolation == .nearest {
            return nearest(width: width, height: height, box: box, window: window)
        }
        let source = hasAlpha ? premultiplied() : self
        let rows = ResampleTaps(
            inputCount: self.height, lower: box.top, upper: box.bottom, outputCount: height, range: window.rows,
            filter: interpolation)
        var result = source
        let needed = rows.inputRange
        if width != self.width || box.left != 0 || box.right != Float(width) {
            let columns = ResampleTaps(
                inputCount: self.width, lower: box.left, upper: box.right, outputCount: width, range: window.columns,
                filter: interpolation)
            result = source.resampledRows(needed, columns: columns)
        } else {
            result = source.cropped(
                x: window.x, y: needed.lowerBound, width: window.width, height: needed.count)
        }
        if height != self.height || box.top != 0 || box.bottom != Float(height) {
            result = result.resampledColumns(rows.droppingInputs(needed.lowerBound))
        } else {
            result = result.cropped(
                x: 0, y: window.y - needed.lowerBound, width: window.width, height: window.height)
        }
        return hasAlpha ? result.unpremultiplied() : result
    }

    /// Rows `rows` of the image, scaled along the horizontal axis.
    private func resampledRows(_ rows: Range<Int>, columns: ResampleTaps) -> Image {
        let width = columns.starts.count
        return unsafe Image(width: width, height: rows.count, channels: channels) { output in
            unsafe pixels.withUnsafeBufferPointer { input in
                guard let address = input.baseAddress else { return }
                unsafe columns.withKernelTaps { taps in
                    unsafe ck_resample_rows(
                        address + rows.lowerBound * stride, stride, rows.count, Int32(channels), taps, output,
                        width * channels, width)
                }
            }
        }
    }

    /// The image scaled along the vertical axis.
    private func resampledColumns(_ rows: ResampleTaps) -> Image {
        let height = rows.starts.count
        return unsafe Image(width: width, height: height, channels: channels) { output in
            unsafe pixels.withUnsafeBufferPointer { input in
                guard let address = input.baseAddress else { return }
                unsafe rows.withKernelTaps { taps in
                    unsafe ck_resample_columns(address, stride, stride, taps, output, stride, height)
                }
            }
        }
    }

    /// Pillow steps through the image by adding up, and so must this: the sums' rounding picks the pixels.
    private func nearest(width: Int, height: Int, box: ResampleBox, window: Window) -> Image {
        func sources(from lower: Float, to upper: Float, count: Int, extent: Int) -> [Int] {
            let step = Double(upper - lower) / Double(count)
            var position = Double(lower) + step * 0.5
            return (0..<count).map { _ in
                defer { position += step }
                return min(extent - 1, Int(position))
            }
        }
        let columns = sources(from: box.left, to: box.right, count: width, extent: self.width)[window.columns]
        let rows = sources(from: box.top, to: box.bottom, count: height, extent: self.height)[window.rows]
        var result: [UInt8] = []
        result.reserveCapacity(window.width * window.height * channels)
        for row in rows {
            for column in columns {
                let pixel = row * stride + column * channels
                result.append(contentsOf: pixels[pixel..<pixel + channels])
            }
        }
        return Image(width: window.width, height: window.height, channels: channels, pixels: result)
    }

    private func premultiplied() -> Image {
        unsafe Image(width: width, height: height, channels: channels) { output in
            unsafe pixels.withUnsafeBufferPointer { input in
                guard let address = input.baseAddress else { return }
                unsafe ck_premultiply(address, width * height, Int32(channels), output)
            }
        }
    }

    private func unpremultiplied() -> Image {
        var pixels = pixels
        unsafe pixels.withUnsafeMutableBufferPointer { buffer in
            guard let address = buffer.baseAddress else { return }
            unsafe ck_unpremultiply(address, width * height, Int32(channels))
        }
        return Image(width: width, height: height, channels: channels, pixels: pixels)
    }
}

/// A rectangle of whole pixels.
struct Window: Equatable {
    var x: Int
    var y: Int
    var width: Int
    var height: Int

    var columns: Range<Int> { x..<x + width }
    var rows: Range<Int> { y..<y + height }
}

/// The part of an image that is scaled, in single precision, as Pillow keeps it.
private struct ResampleBox {
    let left: Float
    let top: Float
    let right: Float
    let bottom: Float

    init(_ box: (x: Double, y: Double, width: Double, height: Double)?, width: Int, height: Int) {
        left = Float(box?.x ?? 0)
        top = Float(box?.y ?? 0)
        right = Float(box.map { $0.x + $0.width } ?? Double(width))
        bottom = Float(box.map { $0.y + $0.height } ?? Double(height))
    }

    func isInside(width: Int, height: Int) -> Bool {
        left >= 0 && top >= 0 && right <= Float(width) && bottom <= Float(height) && left < right && top < bottom
    }

    func isWhole(width: Int, height: Int) -> Bool {
        left == 0 && top == 0 && right == Float(width) && bottom == Float(height)
    }
}
