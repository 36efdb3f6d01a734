import Support

/// Limits and options of decoding.
public struct DecodingOptions: Sendable {
    /// The maximum number of pixels, checked against the header before memory is allocated.
    public var maxPixels = 89_478_485
    /// Whether the EXIF orientation is applied.
    public var appliesOrientation = true
    /// The channels of the result: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA; converted as by PIL's `convert`.
    public var channels = 3
    /// Whether a JPEG that is resized for a model is decoded at 1/2, 1/4 or 1/8 of its size, the smallest that the resize does
    /// not have to enlarge. This saves time and memory, and pixels differ slightly; an image less than twice as large as its
    /// resized version is bit-identical. Rows below the last one needed are not read, so that damage there may go unnoticed,
    /// except for a truncated file.
    ///
    /// No effect on decoding without a resize.
    public var reducesScale = false
    /// Receives the name of each damaged image, and what is wrong with it; the image is then read as far as it goes, and its
    /// other pixels are black in a PNG and of no contrast in a JPEG. nil: damage is an error.
    ///
    /// Called on any thread.
    public var onDamage: (@Sendable (_ name: String, _ damage: ImageError) -> Void)?
    /// What `onDamage` is to call the image.
    package var name = ""

    /// The defaults.
    public init() {}
}

extension Image {
    /// Decodes a PNG or JPEG, recognized by content.
    public init(decoding bytes: [UInt8], options: DecodingOptions = .init()) throws(ImageError) {
        precondition(
            (1...4).contains(options.channels), "Image: expected 1 to 4 channels, got \(options.channels)")
        guard !bytes.isEmpty else { throw .empty }
        switch ImageFormat(of: bytes) {
        case .png: self = try decodePNG(bytes, options: options)
        case .jpeg: self = try decodeJPEG(bytes, options: options)
        case .other(let name): throw .otherFormat(name: name)
        case .unknown: throw .otherFormat(name: nil)
        }
    }

    /// Reads and decodes a file. Only the beginning is read of a file that is neither PNG nor JPEG.
    public init(contentsOfFile path: String, options: DecodingOptions = .init()) throws(ImageError) {
        var options = options
        options.name = path
        self = try Image(decoding: Self.bytes(ofFile: path), options: options)
    }

    /// Reads and decodes the rest of an open file or pipe.
    public init(contentsOfDescriptor descriptor: Int32, options: DecodingOptions = .init()) throws(ImageError) {
        self = try Image(decoding: Self.bytes(ofDescriptor: descriptor), options: options)
    }

    /// The content of an image file; of a file that is neither PNG nor JPEG, only the beginning, which says what it is.
    package static func bytes(ofFile path: String) throws(ImageError) -> [UInt8] {
        do throws(SystemError) {
            return try bytes(of: InputFile(path))
        } catch {
            throw .unreadableFile(errno: error.code)
        }
    }

    /// The same of what an open file or pipe still holds.
    package static func bytes(ofDescriptor descriptor: Int32) throws(ImageError) -> [UInt8] {
        do throws(SystemError) {
            return try bytes(of: InputFile(descriptor: descriptor))
        } catch {
            throw .unreadableFile(errno: error.code)
        }
    }

    /// As much of a file in memory as `bytes(ofFile:)` would have read.
    package static func relevant(_ content: [UInt8]) -> [UInt8] {
        switch ImageFormat(of: content) {
        case .png, .jpeg: content
        case .other, .unknown: Array(content.prefix(ImageFormat.prefixCount))
        }
    }

    private static func bytes(of file: borrowing InputFile) throws(SystemError) -> [UInt8] {
        let start = try file.read(upTo: ImageFormat.prefixCount)
        switch ImageFormat(of: start) {
        case .png, .jpeg: return try file.readToEnd(after: start)
        case .other, .unknown: return start
        }
    }

    /// The image with the requested channels; the decoders return colour, or grey if the file is grey.
    func converted(toChannels wanted: Int) -> Image {
        var image = self
        if wanted <= 2 { image = image.grey() }
        if (wanted == 2 || wanted == 4) && !image.hasAlpha { image = image.opaque() }
        return image
    }
}

extension DecodingOptions {
    /// The longest edge: a resize takes some 150 bytes of weights for each pixel along it.
    private static let longestEdge = 1 << 20

    /// Throws if the size in the header exceeds a limit.
    func checkSize(width: Int, height: Int) throws(ImageError) {
        let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
        if overflow || pixels > maxPixels { throw .tooManyPixels(width: width, height: height, limit: maxPixels) }
        guard max(width, height) <= Self.longestEdge else {
            throw .unsupported("it has \(width) × \(height) pixels, and no edge may be longer than \(Self.longestEdge)")
        }
    }
}
