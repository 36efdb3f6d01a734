import CKernels

extension Image {
    /// The rectangle that starts at column `x` and row `y`; what lies outside of the image is zero.
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

    /// The middle of the image, as torchvision's `CenterCrop` takes it: halves round to the even side, and an image
    /// that is too small gets a border of zeros, the odd row or column at the bottom or right.
    public func centerCropped(width: Int, height: Int) -> Image {
        let window = CropRounding.halfToEven.window(ofWidth: width, height: height, in: (self.width, self.height))
        return cropped(x: window.x, y: window.y, width: width, height: height)
    }

    /// The mirror image, left and right exchanged.
    public func flippedHorizontally() -> Image {
        oriented(2)
    }

    /// The image turned upright, as PIL's `exif_transpose` does: `orientation` is EXIF's, 1 to 8; others change nothing.
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

    /// Colour as brightness, as PIL's `convert("L")` and `convert("LA")` compute it.
    package func grey() -> Image {
        guard channels >= 3 else { return self }
        return unsafe Image(width: width, height: height, channels: channels - 2) { output in
            unsafe pixels.withUnsafeBufferPointer { input in
                guard let address = input.baseAddress else { return }
                unsafe vit_grey_from_colour(address, width * height, Int32(channels), output)
            }
        }
    }

    /// The image with an alpha channel of 255 behind its colours, which have none.
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

/// Where a centre crop begins when the margin is odd.
public enum CropRounding: String, Sendable, Hashable, Codable {
    /// The half goes to the even side: torchvision, and so timm.
    case halfToEven
    /// The half is left out: the image processors of transformers.
    case down

    /// Where the crop lies in an image of size `size`; before its start or past its end where the image is smaller.
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
