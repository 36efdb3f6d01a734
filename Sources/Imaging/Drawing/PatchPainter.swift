import Support

/// Paints patches of a model's input image: masked ones, and predicted ones.
package struct PatchPainter: Sendable {
    /// Whether predictions are normalised by a patch's mean and deviation.
    package let isNormalized: Bool
    private let patch: Size
    private let preprocessing: Preprocessing

    /// A painter of patches of this size; `preprocessing` maps samples to the model's input values.
    package init(patch: Size, preprocessing: Preprocessing, isNormalized: Bool) {
        self.patch = patch
        self.preprocessing = preprocessing
        self.isNormalized = isNormalized
    }

    /// The image with the patches where `removed` (L) is not 0 in grey.
    package func masked(_ image: Image, removed: [Float]) -> Image {
        paint(image, where: removed) { _, _, _ in 128 }
    }

    /// The image with the patches where `painted` (L) is not 0 replaced by the prediction (L, p·p·C); nil: all patches.
    ///
    /// Normalised predictions get the mean and deviation of the original patch, which the model does not know for removed
    /// patches.
    package func completed(_ image: Image, prediction: [Float], where painted: [Float]? = nil) -> Image {
        let channels = image.channels
        let length = patch.height * patch.width * channels
        let all = [Float](repeating: 1, count: prediction.count / length)
        let statistics = isNormalized ? self.statistics(of: image) : []
        return paint(image, where: painted ?? all) { index, inner, channel in
            var value = Double(prediction[index * length + inner * channels + channel])
            if isNormalized { value = value * statistics[index].deviation + statistics[index].mean }
            let sample =
                (value * at(preprocessing.std, channel) + at(preprocessing.mean, channel)) / preprocessing.rescaleFactor
            return sample.isFinite ? UInt8(min(max(sample.rounded(), 0), 255)) : 0
        }
    }

    private func paint(
        _ image: Image, where painted: [Float], _ sample: (_ patch: Int, _ inner: Int, _ channel: Int) -> UInt8
    ) -> Image {
        var pixels = image.pixels
        let columns = image.width / patch.width
        precondition(
            painted.count == columns * (image.height / patch.height),
            "PatchPainter: expected \(columns) × \(image.height / patch.height) patches, got \(painted.count)")
        for y in 0..<image.height / patch.height * patch.height {
            for x in 0..<columns * patch.width {
                let index = y / patch.height * columns + x / patch.width
                guard painted[index] != 0 else { continue }
                let inner = y % patch.height * patch.width + x % patch.width
                for channel in 0..<image.channels {
                    pixels[(y * image.width + x) * image.channels + channel] = sample(index, inner, channel)
                }
            }
        }
        return Image(width: image.width, height: image.height, channels: image.channels, pixels: pixels)
    }

    /// The mean and deviation of each patch in the model's input values (He et al. 2022, section 3).
    private func statistics(of image: Image) -> [(mean: Double, deviation: Double)] {
        let (rows, columns) = (image.height / patch.height, image.width / patch.width)
        let count = Double(patch.height * patch.width * image.channels)
        return (0..<rows * columns).map { index in
            var (sum, squares) = (0.0, 0.0)
            for y in index / columns * patch.height..<(index / columns + 1) * patch.height {
                for x in index % columns * patch.width..<(index % columns + 1) * patch.width {
                    for channel in 0..<image.channels {
                        let sample = Double(image.pixels[(y * image.width + x) * image.channels + channel])
                        let value =
                            (sample * preprocessing.rescaleFactor - at(preprocessing.mean, channel))
                            / at(preprocessing.std, channel)
                        sum += value
                        squares += value * value
                    }
                }
            }
            let mean = sum / count
            let variance = max(0, (squares - count * mean * mean) / max(count - 1, 1))
            return (mean, (variance + 1e-6).squareRoot())
        }
    }

    /// The value of a channel; a single value applies to all.
    private func at(_ values: [Double], _ channel: Int) -> Double { values.count == 1 ? values[0] : values[channel] }
}
