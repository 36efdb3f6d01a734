import Support

/// Decodes a whole JPEG.
func decodeJPEG(_ bytes: [UInt8], options: DecodingOptions) throws(ImageError) -> Image {
    try readingJPEG(bytes, options: options) { (reader, orientation) throws(ImageError) in
        let size = try reader.start(channels: reader.channels(for: options))
        return try reader.wholeImage(size, options: options).oriented(orientation)
    }
}

extension Image {
    /// The size of a JPEG's decoded pixels in bytes; nil if it cannot be decoded.
    package static func byteCount(ofJPEG bytes: [UInt8], options: DecodingOptions) -> Int? {
        guard ImageFormat(of: bytes) == .jpeg else { return nil }
        return try? readingJPEG(bytes, options: options) { (reader, _) throws(ImageError) in
            reader.width * reader.height * options.channels
        }
    }
}

/// Opens a JPEG and calls `body` with its reader and the EXIF orientation to apply.
func readingJPEG<Result>(
    _ bytes: [UInt8], options: DecodingOptions,
    _ body: (borrowing JPEGReader, _ orientation: Int) throws(ImageError) -> Result
) throws(ImageError) -> Result {
    let segments = JPEGSegments(bytes)
    if let kind = segments.unreadableKind { throw .unsupported("it is \(kind) JPEG, which swift-vit does not read") }
    return try unsafe bytes.withUnsafeBufferPointer { (buffer) throws(ImageError) in
        let reader = try unsafe JPEGReader(buffer, isLenient: options.onDamage != nil)
        try options.checkSize(width: reader.width, height: reader.height)
        let result = try body(reader, options.appliesOrientation ? segments.orientation : 1)
        if let damage = reader.damage { options.onDamage?(options.name, damage) }
        return result
    }
}

extension JPEGReader {
    /// The channels of the decoded rows: colour, or grey if grey is requested and the file is grey.
    func channels(for options: DecodingOptions) -> Int { options.channels <= 2 && isGrey ? 1 : 3 }

    /// All rows of a started reader of this size, with the requested channels.
    func wholeImage(_ size: Size, options: DecodingOptions) throws(ImageError) -> Image {
        let channels = channels(for: options)
        let image = try unsafe Image(width: size.width, height: size.height, channels: channels) {
            (rows) throws(ImageError) in
            try unsafe read(size.height, into: rows)
            try unsafe finish(passing: rows)
        }
        return image.converted(toChannels: options.channels)
    }
}
