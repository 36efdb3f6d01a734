import CKernels

extension Preprocessing {
    /// The value of each sample 0…255 of each channel after rescaling and normalising: (channels, 256).
    ///
    /// In single precision and in the order of torchvision's `ToTensor` and `Normalize`, so that results are bit-identical to
    /// theirs and to those of transformers' NumPy image processors. Its torch processors fold rescaling into mean and
    /// deviation, which differs by up to 2.4e-7.
    package func normalizationTable(channels: Int) -> [Float] {
        precondition(
            [mean, std].allSatisfy { $0.count == 1 || $0.count == channels },
            "Preprocessing: \(channels) channels need as many means and deviations, or one; got \(mean) and \(std)")
        var table: [Float] = []
        table.reserveCapacity(channels * 256)
        for channel in 0..<channels {
            let mean = Float(mean.count == 1 ? mean[0] : mean[channel])
            let std = Float(std.count == 1 ? std[0] : std[channel])
            for sample in 0..<256 {
                table.append((Float(Double(sample) * rescaleFactor) - mean) / std)
            }
        }
        return table
    }

    /// Writes a prepared image as the model takes it: planar float32 (channels, height, width).
    package func normalize(_ image: Image, into output: inout MutableSpan<Float>) {
        precondition(
            output.count == image.pixels.count,
            "Preprocessing.normalize: expected a place for \(image.pixels.count) values, got \(output.count)")
        let table = normalizationTable(channels: image.channels)
        unsafe image.pixels.withUnsafeBufferPointer { pixels in
            unsafe table.withUnsafeBufferPointer { table in
                unsafe output.withUnsafeMutableBufferPointer { output in
                    guard let input = pixels.baseAddress, let table = table.baseAddress, let output = output.baseAddress
                    else { return }
                    unsafe vit_planes_from_table(
                        input, image.width * image.height, Int32(image.channels), table, output)
                }
            }
        }
    }

    /// A prepared image as the model takes it: planar float32 (channels, height, width).
    public func normalize(_ image: Image) -> [Float] {
        unsafe [Float](unsafeUninitializedCapacity: image.pixels.count) { buffer, initialized in
            var values = unsafe buffer.extracting(..<image.pixels.count).mutableSpan
            normalize(image, into: &values)
            initialized = image.pixels.count
        }
    }
}
