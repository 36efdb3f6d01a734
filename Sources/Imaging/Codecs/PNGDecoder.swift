import CImageCodecs

/// Decodes a PNG: all colour types and depths; of an animation, the default image.
func decodePNG(_ bytes: [UInt8], options: DecodingOptions) throws(ImageError) -> Image {
    let chunks = try PNGChunks(bytes)
    try options.checkSize(width: chunks.width, height: chunks.height)
    try chunks.check(bytes)
    var failure = codecs_error()
    var image: Image?
    unsafe bytes.withUnsafeBufferPointer { bytes in
        unsafe image = readPNG(bytes, channels: options.channels, failure: &failure)
    }
    guard let image else { throw ImageError(failure, format: "PNG") }
    let converted = image.converted(toChannels: options.channels)
    return options.appliesOrientation ? converted.oriented(chunks.orientation(bytes)) : converted
}

/// The image in colour, or in grey if grey is requested and the file is grey.
private func readPNG(_ bytes: UnsafeBufferPointer<UInt8>, channels: Int, failure: inout codecs_error) -> Image? {
    var info = codecs_info()
    guard let reader = unsafe codecs_open_png(bytes.baseAddress, bytes.count, &info, &failure) else { return nil }
    defer { unsafe codecs_close_png(reader) }
    let wanted = channels <= 2 && info.is_grey == 0 ? channels + 2 : channels
    var isComplete = false
    let image = unsafe Image(width: Int(info.width), height: Int(info.height), channels: wanted) { rows in
        isComplete = unsafe codecs_read_png(reader, Int32(wanted), rows, &failure) != 0
    }
    return isComplete ? image : nil
}
