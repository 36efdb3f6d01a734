import CImageCodecs

/// More scans than any encoder writes; each costs a pass over the whole image.
private let scanLimit: Int32 = 500

/// Decodes a JPEG: baseline and progressive, Huffman or arithmetic coding, grey, YCbCr, RGB, CMYK and YCCK.
func decodeJPEG(_ bytes: [UInt8], options: DecodingOptions) throws(ImageError) -> Image {
    let segments = JPEGSegments(bytes)
    if let kind = segments.unreadableKind { throw .unsupported("it is \(kind) JPEG, which swift-vit does not read") }
    var failure = codecs_error()
    var result: Result<Image, ImageError> = .failure(.outOfMemory)
    unsafe bytes.withUnsafeBufferPointer { bytes in
        unsafe result = readJPEG(bytes, options: options, failure: &failure)
    }
    let image = try result.get().converted(toChannels: options.channels)
    return options.appliesOrientation ? image.oriented(segments.orientation) : image
}

/// The image in colour, or in grey where grey is wanted and there.
private func readJPEG(
    _ bytes: UnsafeBufferPointer<UInt8>, options: DecodingOptions, failure: inout codecs_error
) -> Result<Image, ImageError> {
    var info = codecs_info()
    guard let reader = unsafe codecs_open_jpeg(bytes.baseAddress, bytes.count, &info, &failure) else {
        return .failure(ImageError(failure, format: "JPEG"))
    }
    defer { unsafe codecs_close_jpeg(reader) }
    do throws(ImageError) {
        try options.checkSize(width: Int(info.width), height: Int(info.height))
    } catch {
        return .failure(error)
    }
    let channels = options.channels <= 2 && info.is_grey != 0 ? 1 : 3
    var isComplete = false
    let image = unsafe Image(width: Int(info.width), height: Int(info.height), channels: channels) { rows in
        isComplete = unsafe codecs_read_jpeg(reader, Int32(channels), scanLimit, rows, &failure) != 0
    }
    return isComplete ? .success(image) : .failure(ImageError(failure, format: "JPEG"))
}
