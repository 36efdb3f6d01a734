/// An image in memory: 8-bit samples, interleaved, row after row without padding.
public struct Image: Sendable, Equatable {
    /// The number of columns.
    public let width: Int
    /// The number of rows.
    public let height: Int
    /// The samples per pixel: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA.
    public let channels: Int
    /// The samples: height · width · channels bytes.
    public let pixels: [UInt8]

    /// An image of the given size; `pixels` holds height · width · channels bytes.
    public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
        precondition(
            width > 0 && height > 0 && (1...4).contains(channels),
            "Image: expected a positive size and 1 to 4 channels, got \(width) × \(height) × \(channels)")
        precondition(
            pixels.count == width * height * channels,
            "Image: \(width) × \(height) × \(channels) needs \(width * height * channels) bytes, got \(pixels.count)")
        self.width = width
        self.height = height
        self.channels = channels
        self.pixels = pixels
    }

    /// An image whose samples `fill` writes: all of height · width · channels bytes, which are uninitialised.
    init<Failure>(
        width: Int, height: Int, channels: Int, filling fill: (UnsafeMutablePointer<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        let count = width * height * channels
        var failure: Failure?
        let pixels = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = count
            guard let address = buffer.baseAddress else { return }
            do throws(Failure) {
                try unsafe fill(address)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        self.init(width: width, height: height, channels: channels, pixels: pixels)
    }

    /// The bytes from one row to the next.
    var stride: Int { width * channels }

    /// Whether the last channel is alpha.
    public var hasAlpha: Bool { channels == 2 || channels == 4 }
}
