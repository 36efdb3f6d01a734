import CImageCodecs

/// Decodes a PNG: all colour types and depths; of an animation, the default image.
func decodePNG(_ bytes: [UInt8], options: DecodingOptions) throws(ImageError) -> Image {
    let chunks = try PNGChunks(bytes)
    try options.checkSize(width: chunks.width, height: chunks.height)
    let isLenient = options.onDamage != nil
    var (bytes, damage) = (bytes, ImageError?.none)
    do throws(ImageError) {
        try chunks.check(bytes)
    } catch {
        guard isLenient else { throw error }
        (bytes, damage) = (chunks.mended(bytes), error)
    }
    var failure = codecs_error()
    var image: Image?
    unsafe bytes.withUnsafeBufferPointer { bytes in
        unsafe image = readPNG(bytes, channels: options.channels, isLenient: isLenient, failure: &failure)
    }
    guard let image else { throw damage ?? ImageError(failure, format: "PNG") }
    if failure.status != CODECS_OK { damage = damage ?? ImageError(failure, format: "PNG") }
    if let damage { options.onDamage?(options.name, damage) }
    let converted = image.converted(toChannels: options.channels)
    return options.appliesOrientation ? converted.oriented(chunks.orientation(bytes)) : converted
}

/// The image in colour, or in grey if grey is requested and the file is grey; where `isLenient`, also if its last rows cannot
/// be decoded, which are black then.
private func readPNG(
    _ bytes: UnsafeBufferPointer<UInt8>, channels: Int, isLenient: Bool, failure: inout codecs_error
) -> Image? {
    var info = codecs_info()
    guard let reader = unsafe codecs_open_png(bytes.baseAddress, bytes.count, &info, &failure) else { return nil }
    defer { unsafe codecs_close_png(reader) }
    let wanted = channels <= 2 && info.is_grey == 0 ? channels + 2 : channels
    let (width, height) = (Int(info.width), Int(info.height))
    var isUsable = false
    let image = unsafe Image(width: width, height: height, channels: wanted) { rows in
        if isLenient { unsafe rows.initialize(repeating: 0, count: width * height * wanted) }
        var done = 0
        isUsable = unsafe codecs_read_png(reader, Int32(wanted), rows, &done, &failure) != 0 || isLenient && done > 0
    }
    return isUsable ? image : nil
}
