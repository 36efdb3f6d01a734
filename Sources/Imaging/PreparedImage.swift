import Support

/// An image resized and cropped for a model, still in 8 bits.
package struct PreparedImage: Sendable {
    /// The size of the original, after EXIF orientation.
    package let width: Int
    package let height: Int
    package let image: Image
}

extension Preprocessing {
    /// Resizes and crops an image.
    package func prepared(_ image: Image) -> PreparedImage {
        PreparedImage(width: image.width, height: image.height, image: prepare(image))
    }

    /// Decodes, resizes and crops a PNG or JPEG: bit-identical to `prepare` on the decoded image, with less work if only a part
    /// of a JPEG is needed.
    ///
    /// With `options.reducesScale`, a JPEG is decoded at the smallest scale that the resize does not have to enlarge, and if
    /// rows are resampled as they are decoded, not beyond the last one needed; the end marker shows that the file is complete.
    package func prepare(
        decoding bytes: [UInt8], options: DecodingOptions = .init()
    ) throws(ImageError) -> PreparedImage {
        guard ImageFormat(of: bytes) == .jpeg else { return prepared(try Image(decoding: bytes, options: options)) }
        return try readingJPEG(bytes, options: options) { (reader, orientation) throws(ImageError) in
            let isWhole = bytes.suffix(2).elementsEqual([0xff, 0xd9])
            return try prepare(
                reader, orientation: orientation, options: options, readsAll: !(options.reducesScale && isWhole))
        }
    }

    private func prepare(
        _ reader: borrowing JPEGReader, orientation: Int, options: DecodingOptions, readsAll: Bool
    ) throws(ImageError) -> PreparedImage {
        let stored = Size(height: reader.height, width: reader.width)
        let upright = stored.oriented(orientation)
        let framing = framing(width: upright.width, height: upright.height)
        let scale = options.reducesScale ? DecodingScale(from: upright, to: framing.size) : .whole
        let channels = reader.channels(for: options)
        let decoded = try reader.start(channels: channels, eighths: scale.eighths)
        let size = decoded.oriented(orientation)
        let box = scale.box(of: upright, in: size, orientation: orientation)
        let plan = ResizePlan(
            of: size, to: framing.size, interpolation: interpolation, box: box, window: framing.visible)
        let resized =
            if channels == options.channels && plan.hasTwoPasses {
                try reader.resized(
                    StoredResize(plan, of: size, orientation: orientation), from: decoded, channels: channels,
                    readsAll: readsAll)
            } else {
                try reader.wholeImage(decoded, options: options).oriented(orientation).resized(
                    width: framing.size.width, height: framing.size.height, interpolation: interpolation, box: box,
                    window: framing.visible)
            }
        return PreparedImage(width: upright.width, height: upright.height, image: framing.cut(resized))
    }
}

extension Size {
    /// This size after applying an EXIF orientation.
    func oriented(_ orientation: Int) -> Size {
        (5...8).contains(orientation) ? Size(height: width, width: height) : self
    }
}

/// The scale at which a JPEG is decoded.
private struct DecodingScale {
    /// 8, 4, 2 or 1: between these, libjpeg has no fast inverse transform.
    let eighths: Int

    static let whole = DecodingScale(eighths: 8)

    private init(eighths: Int) { self.eighths = eighths }

    /// The smallest scale at which both edges of an image of `size` are at least as long as those of `target`.
    init(from size: Size, to target: Size) {
        let enough = [1, 2, 4].first { eighths in
            size.width * eighths >= target.width * 8 && size.height * eighths >= target.height * 8
        }
        eighths = enough ?? 8
    }

    /// The area of an upright image of `size` in `decoded`, whose last column and row may be partly padding; nil if it is
    /// all of it.
    func box(of size: Size, in decoded: Size, orientation: Int) -> PixelBox? {
        guard eighths < 8 else { return nil }
        let width = Double(size.width * eighths) / 8
        let height = Double(size.height * eighths) / 8
        // Applying the orientation may bring the last column or row to the front.
        let startsAtRight = [2, 3, 6, 7].contains(orientation)
        let startsAtBottom = [3, 4, 7, 8].contains(orientation)
        return (
            x: startsAtRight ? Double(decoded.width) - width : 0,
            y: startsAtBottom ? Double(decoded.height) - height : 0, width: width, height: height
        )
    }
}
