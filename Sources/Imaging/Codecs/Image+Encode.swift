import CImageCodecs

extension Image {
    /// The image as a PNG file.
    public func encodedPNG() -> [UInt8] {
        unsafe encoded(as: "PNG") { rows, bytes, count, failure in
            unsafe codecs_write_png(rows, UInt32(width), UInt32(height), Int32(channels), &bytes, &count, &failure)
        }
    }

    /// The image as a JPEG file, without alpha; `quality` is 1 to 100, width and height at most 65,500.
    public func encodedJPEG(quality: Int) -> [UInt8] {
        precondition((1...100).contains(quality), "Image.encodedJPEG: expected a quality of 1 to 100, got \(quality)")
        precondition(max(width, height) <= 65_500, "Image.encodedJPEG: \(width) × \(height) is more than JPEG can hold")
        if hasAlpha { return withoutAlpha().encodedJPEG(quality: quality) }
        return unsafe encoded(as: "JPEG") { rows, bytes, count, failure in
            unsafe codecs_write_jpeg(
                rows, UInt32(width), UInt32(height), Int32(channels), Int32(quality), &bytes, &count, &failure)
        }
    }

    private typealias Encoder = (
        UnsafePointer<UInt8>, inout UnsafeMutablePointer<UInt8>?, inout Int, inout codecs_error
    ) -> Int32

    private func encoded(as format: String, by encode: Encoder) -> [UInt8] {
        unsafe pixels.withUnsafeBufferPointer { rows in
            var bytes: UnsafeMutablePointer<UInt8>?
            var count = 0
            var failure = codecs_error()
            guard let address = rows.baseAddress, unsafe encode(address, &bytes, &count, &failure) != 0 else {
                preconditionFailure("Image: no memory for a \(format) of \(width) × \(height): \(failure.reason)")
            }
            defer { unsafe codecs_free(bytes) }
            return unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
        }
    }

    /// The image without its alpha channel.
    package func withoutAlpha() -> Image {
        guard hasAlpha else { return self }
        var result: [UInt8] = []
        result.reserveCapacity(width * height * (channels - 1))
        for pixel in Swift.stride(from: 0, to: pixels.count, by: channels) {
            result.append(contentsOf: pixels[pixel..<pixel + channels - 1])
        }
        return Image(width: width, height: height, channels: channels - 1, pixels: result)
    }
}
