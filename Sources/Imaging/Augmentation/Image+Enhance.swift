import CKernels

/// Brightness and colour operations, bit-identical to Pillow's ImageOps and ImageEnhance.
extension Image {
    /// Each channel stretched to the full range from 0 to 255 (`ImageOps.autocontrast`).
    package func autoContrasted() -> Image {
        let counts = histogram()
        return mapped { channel in
            let used = (0..<256).filter { counts[channel * 256 + $0] > 0 }
            guard let low = used.first, let high = used.last, high > low else { return { UInt8($0) } }
            let scale = 255 / Double(high - low)
            let offset = -Double(low) * scale
            return { UInt8(max(0, min(255, Double($0) * scale + offset))) }
        }
    }

    /// Each channel with its histogram equalized (`ImageOps.equalize`).
    package func equalized() -> Image {
        let counts = histogram()
        return mapped { channel in
            let counts = counts[channel * 256..<(channel + 1) * 256].map(Int.init)
            let step = (width * height - (counts.last { $0 > 0 } ?? 0)) / 255
            guard step > 0 else { return { UInt8($0) } }
            var sum = step / 2
            let table = counts.map { count in
                defer { sum += count }
                return UInt8(min(255, sum / step))
            }
            return { table[$0] }
        }
    }

    /// The negative (`ImageOps.invert`).
    package func inverted() -> Image { mapped { _ in { 255 - UInt8($0) } } }

    /// The upper `bits` of each sample, from 0 to 8 (`ImageOps.posterize`; Pillow 13 refuses 0, which leaves black).
    package func posterized(bits: Int) -> Image { mapped { _ in { UInt8(($0 >> (8 - bits)) << (8 - bits)) } } }

    /// The samples from `threshold` on inverted (`ImageOps.solarize`).
    package func solarized(threshold: Int) -> Image { mapped { _ in { UInt8($0 < threshold ? $0 : 255 - $0) } } }

    /// The samples below 128 raised by `amount`.
    package func solarized(adding amount: Int) -> Image {
        mapped { _ in { UInt8($0 < 128 ? min(255, $0 + amount) : $0) } }
    }

    /// More or less colourful: 0 is grey, 1 the image (`ImageEnhance.Color`).
    package func withColor(_ factor: Double) -> Image {
        channels < 3 ? self : blended(from: grey().withoutAlpha(), factor: factor)
    }

    /// More or less bright: 0 is black, 1 the image (`ImageEnhance.Brightness`).
    package func withBrightness(_ factor: Double) -> Image { blended(from: 0, factor: factor) }

    /// More or less contrast: 0 is an even grey of the mean brightness, 1 the image (`ImageEnhance.Contrast`).
    package func withContrast(_ factor: Double) -> Image {
        let grey = grey().withoutAlpha()
        let sum = grey.pixels.reduce(into: 0) { $0 += Int($1) }
        return blended(from: UInt8(Double(sum) / Double(width * height) + 0.5), factor: factor)
    }

    /// More or less sharp: 0 is smooth, 1 the image (`ImageEnhance.Sharpness`).
    package func withSharpness(_ factor: Double) -> Image {
        let smooth = unsafe Image(width: width, height: height, channels: channels) { output in
            unsafe withAddress { unsafe vit_smooth($0, width, height, Int32(channels), output) }
        }
        return blended(from: smooth, factor: factor)
    }

    /// `from + factor · (self − from)`, clamped to 0…255; a grey `from` is broadcast to all channels.
    private func blended(from: Image, factor: Double) -> Image {
        unsafe Image(width: width, height: height, channels: channels) { output in
            unsafe from.withAddress { start in
                unsafe withAddress { end in
                    unsafe vit_blend(
                        start, from.channels < channels ? 1 : 0, end, width * height, Int32(channels), Float(factor),
                        output)
                }
            }
        }
    }

    /// The same from a constant image; in single precision, as in Pillow.
    private func blended(from value: UInt8, factor: Double) -> Image {
        let (start, factor) = (Float(value), Float(factor))
        return mapped { _ in { UInt8(max(0, min(255, start + factor * (Float($0) - start)))) } }
    }

    /// How often each value occurs: (channels, 256).
    private func histogram() -> [UInt32] {
        var counts = [UInt32](repeating: 0, count: channels * 256)
        unsafe withAddress { unsafe vit_histogram($0, width * height, Int32(channels), &counts) }
        return counts
    }

    /// Each sample mapped by the channel's function, which is called once per value.
    private func mapped(_ function: (_ channel: Int) -> (Int) -> UInt8) -> Image {
        let table = (0..<channels).flatMap { (0..<256).map(function($0)) }
        return unsafe Image(width: width, height: height, channels: channels) { output in
            unsafe withAddress { unsafe vit_map_samples($0, width * height, Int32(channels), table, output) }
        }
    }

    /// Calls `body` with the address of the samples.
    func withAddress(_ body: (UnsafePointer<UInt8>) -> Void) {
        unsafe pixels.withUnsafeBufferPointer { buffer in
            if let address = buffer.baseAddress { unsafe body(address) }
        }
    }
}
