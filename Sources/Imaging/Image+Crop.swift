import CKernels

extension Image {
    /// The rectangle that starts at column `x` and row `y`; pixels outside the image are zero.
    public func cropped(x: Int, y: Int, width: Int, height: Int) -> Image {
        precondition(width > 0 && height > 0, "Image.cropped: expected a positive size, got \(width) × \(height)")
        if x == 0 && y == 0 && width == self.width && height == self.height { return self }
        let columns = max(x, 0)..<max(max(x, 0), min(x + width, self.width))
        let rows = max(y, 0)..<max(max(y, 0), min(y + height, self.height))
        let isInside = columns.count == width && rows.count == height
        let outputStride = width * channels
        return unsafe Image(width: width, height: height, channels: channels) { output in
            if !isInside { unsafe output.update(repeating: 0, count: outputStride * height) }
            guard !columns.isEmpty else { return }
            unsafe pixels.withUnsafeBufferPointer { input in
                guard let address = input.baseAddress else { return }
                for row in rows {
                    let target = (row - y) * outputStride + (columns.lowerBound - x) * channels
                    unsafe (output + target).update(
                        from: address + row * stride + columns.lowerBound * channels, count: columns.count * channels)
                }
            }
        }
    }

    /// The centre crop of torchvision's `CenterCrop`: halves round to even, and an image that is too small is padded with
    /// zeros, the odd row or column at the bottom or right.
    public func centerCropped(width: Int, height: Int) -> Image {
        let window = CropRounding.halfToEven.window(ofWidth: width, height: height, in: (self.width, self.height))
        return cropped(x: window.x, y: window.y, width: width, height: height)
    }

    /// The image flipped horizontally.
    public func flippedHorizontally() -> Image {
        oriented(2)
    }

    /// The image with its EXIF orientation applied, as by PIL's `exif_transpose`; values other than 2 to 8 change nothing.
    package func oriented(_ orientation: Int) -> Image {
        guard (2...8).contains(orientation) else { return self }
        let isTransposed = orientation >= 5
        return unsafe Image(
            width: isTransposed ? height : width, height: isTransposed ? width : height, channels: channels
        ) { output in
            unsafe pixels.withUnsafeBufferPointer { input in
                guard let address = input.baseAddress else { return }
                unsafe vit_orient(address, width, height, Int32(channels), Int32(orientation), output)
            }
        }
    }

    /// The greyscale image, as by PIL's `convert("L")` and `convert("LA")`.
    package func grey() -> Image {
        guard channels >= 3 else { return self }
        return unsafe Image(width: width, height: height, channels: channels - 2) { output in
            unsafe pixels.withUnsafeBufferPointer { input in
                guard let address = input.baseAddress else { return }
                unsafe vit_grey_from_colour(address, width * height, Int32(channels), output)
            }
        }
    }

    /// The image with an opaque alpha channel added.
    func opaque() -> Image {
        var result: [UInt8] = []
        result.reserveCapacity(width * height * (channels + 1))
        for pixel in 0..<width * height {
            result.append(contentsOf: pixels[pixel * channels..<(pixel + 1) * channels])
            result.append(255)
        }
        return Image(width: width, height: height, channels: channels + 1, pixels: result)
    }
}

/// The rounding of a centre crop's offset when the margin is odd.
public enum CropRounding: String, Sendable, Hashable, Codable {
    /// To the even side: torchvision, and so timm.
    case halfToEven
    /// Down: the image processors of transformers.
    case down

    /// The window of the crop in an image of size `size`; it extends beyond an image that is smaller.
    package func window(ofWidth width: Int, height: Int, in size: (width: Int, height: Int)) -> Window {
        Window(x: start(width, in: size.width), y: start(height, in: size.height), width: width, height: height)
    }

    private func start(_ extent: Int, in available: Int) -> Int {
        if extent > available { return -((extent - available) / 2) }
        let margin = available - extent
        let roundsUp = self == .halfToEven && margin % 4 == 3
        return margin / 2 + (roundsUp ? 1 : 0)
    }
}
