/// Decodes a JPEG as a whole.
func decodeJPEG(_ bytes: [UInt8], options: DecodingOptions) throws(ImageError) -> Image {
    try readingJPEG(bytes, options: options) { (reader, orientation) throws(ImageError) in
        let size = try reader.start(channels: reader.channels(for: options))
        return try reader.wholeImage(size, options: options).oriented(orientation)
    }
}

/// Opens a JPEG that may be decoded, and tells `body` which EXIF orientation is to be undone.
func readingJPEG<Result>(
    _ bytes: [UInt8], options: DecodingOptions,
    _ body: (borrowing JPEGReader, _ orientation: Int) throws(ImageError) -> Result
) throws(ImageError) -> Result {
    let segments = JPEGSegments(bytes)
    if let kind = segments.unreadableKind { throw .unsupported("it is \(kind) JPEG, which swift-vit does not read") }
    return try unsafe bytes.withUnsafeBufferPointer { (buffer) throws(ImageError) in
        let reader = try unsafe JPEGReader(buffer)
        try options.checkSize(width: reader.width, height: reader.height)
        return try body(reader, options.appliesOrientation ? segments.orientation : 1)
    }
}

extension JPEGReader {
    /// The channels that rows have: colour, or grey where grey is wanted and there.
    func channels(for options: DecodingOptions) -> Int { options.channels <= 2 && isGrey ? 1 : 3 }

    /// All rows of a reader that was started and gives them in this size, with the channels that are wanted.
    func wholeImage(_ size: Preprocessing.Extent, options: DecodingOptions) throws(ImageError) -> Image {
        let channels = channels(for: options)
        let image = try unsafe Image(width: size.width, height: size.height, channels: channels) {
            (rows) throws(ImageError) in
            try unsafe read(size.height, into: rows)
            try unsafe finish(passing: rows)
        }
        return image.converted(toChannels: options.channels)
    }

    /// The horizontal pass of a plan over the rows as they are decoded, then the vertical one.
    ///
    /// Only rows and columns that some result needs are decoded and resampled, and the image never lies in memory as a whole. To be
    /// called on a reader that was started and gives rows of `size` with `channels`. Unless it `readsAll`, damage below the
    /// last row needed is not found.
    func resampled(
        _ plan: ResizePlan, from size: Preprocessing.Extent, channels: Int, readsAll: Bool
    ) throws(ImageError) -> Image {
        let columnTaps = ResampleTaps(plan.columns, filter: plan.interpolation)
        let decoded = try crop(to: columnTaps.inputRange, of: size.width)
        let resampler = RowResampler(columnTaps.droppingInputs(decoded.lowerBound), channels: channels)
        let rowTaps = ResampleTaps(plan.rows, filter: plan.interpolation)
        let needed = rowTaps.inputRange
        let stride = decoded.count * channels
        let outputStride = plan.columns.range.count * channels
        let strip = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: Self.stripHeight * stride)
        defer { unsafe strip.deallocate() }
        guard let rows = strip.baseAddress else { throw .outOfMemory }
        let first = try unsafe Image(width: plan.columns.range.count, height: needed.count, channels: channels) {
            (output) throws(ImageError) in
            try skip(needed.lowerBound)
            for start in Swift.stride(from: 0, to: needed.count, by: Self.stripHeight) {
                let count = min(Self.stripHeight, needed.count - start)
                try unsafe read(count, into: rows)
                unsafe resampler.resample(rows, stride: stride, count: count, into: output + start * outputStride)
            }
            if readsAll { try unsafe finish(passing: rows) }
        }
        return first.withVertical(rowTaps.droppingInputs(needed.lowerBound), columns: 0..<first.width)
    }

    /// Rows that are decoded at a time: those that libjpeg decodes at a time, which the cache still holds afterwards.
    private static let stripHeight = 16
}
