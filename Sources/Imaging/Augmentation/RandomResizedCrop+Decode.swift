import Randomness
import Support

extension RandomResizedCrop {
    /// Decodes a PNG or JPEG and applies the crop: bit-identical to the crop of the decoded image, with less work, since only
    /// the cropped part of a JPEG is decoded.
    package func apply(
        decoding bytes: [UInt8], options: DecodingOptions, using random: inout CounterRandom
    ) throws(ImageError) -> Image {
        guard ImageFormat(of: bytes) == .jpeg else {
            return apply(to: try Image(decoding: bytes, options: options), using: &random)
        }
        return try readingJPEG(bytes, options: options) { (reader, orientation) throws(ImageError) in
            let upright = Size(height: reader.height, width: reader.width).oriented(orientation)
            let part = window(width: upright.width, height: upright.height, using: &random)
            let plan = ResizePlan(
                of: .init(height: part.height, width: part.width), to: size, interpolation: interpolation,
                window: Window(x: 0, y: 0, width: size.width, height: size.height))
            let channels = reader.channels(for: options)
            let decoded = try reader.start(channels: channels)
            guard channels == options.channels && plan.hasTwoPasses else {
                let image = try reader.wholeImage(decoded, options: options).oriented(orientation)
                return resized(image, part)
            }
            return try reader.resized(
                StoredResize(plan, x: part.x, y: part.y, of: upright, orientation: orientation), from: decoded,
                channels: channels, readsAll: true)
        }
    }
}
