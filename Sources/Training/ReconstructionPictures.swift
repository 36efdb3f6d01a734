import Compute
import Imaging
import Models

/// Pictures of what a model makes of masked images: 8-bit RGB, side by side.
struct ReconstructionPictures {
    /// The images as they are, as the encoder sees them, and as the decoder completes them; nil where it gives no
    /// pixels.
    let originals: Image
    let masked: Image
    let completed: Image?

    private static let gap = 2

    /// Runs the model over `fixed`; nil without images.
    init?(_ fixed: FixedImages, trainer: MAETrainer) {
        guard !fixed.images.isEmpty else { return nil }
        var (masked, completed) = ([Image](), [Image]())
        fixed.forEachBatch(of: trainer) { numbers, mask, prediction in
            let values = prediction.values
            let length = prediction.count / trainer.settings.batchSize
            let painter = PatchPainter(trainer.configuration, trainer.settings)
            for (slot, number) in numbers.enumerated() {
                let removed = mask.removed[slot * mask.patchCount..<(slot + 1) * mask.patchCount]
                let image = fixed.images[number]
                masked.append(painter.masked(image, removed: Array(removed)))
                if painter.givesPixels {
                    completed.append(
                        painter.completed(
                            image, prediction: Array(values[slot * length..<(slot + 1) * length]),
                            removed: Array(removed)))
                }
            }
        }
        originals = Self.row(fixed.images)
        self.masked = Self.row(masked)
        self.completed = completed.isEmpty ? nil : Self.row(completed)
    }

    /// Images side by side on white, in colour.
    private static func row(_ images: [Image]) -> Image {
        let (width, height) = (images[0].width, images[0].height)
        let total = images.count * (width + gap) - gap
        var pixels = [UInt8](repeating: 255, count: total * height * 3)
        for (index, image) in images.enumerated() {
            for y in 0..<height {
                for x in 0..<width {
                    let source = (y * width + x) * image.channels
                    let place = (y * total + index * (width + gap) + x) * 3
                    for c in 0..<3 { pixels[place + c] = image.pixels[source + (image.channels < 3 ? 0 : c)] }
                }
            }
        }
        return Image(width: total, height: height, channels: 3, pixels: pixels)
    }
}

/// Paints single patches.
package struct PatchPainter {
    private let patch: Models.Extent
    private let channels: Int
    private let isNormalized: Bool
    private let mean: [Double]
    private let std: [Double]
    /// Whether the decoder gives the pixels of a patch.
    let givesPixels: Bool

    package init(_ configuration: MAEConfiguration, _ settings: PretrainingSettings) {
        patch = configuration.encoder.patchSize
        channels = configuration.encoder.inputChannels
        isNormalized = configuration.target == .normalized
        givesPixels = configuration.target == .normalized || configuration.target == .pixels
        mean = settings.mean
        std = settings.std
    }

    /// The image with grey in the place of removed patches.
    package func masked(_ image: Image, removed: [Float]) -> Image {
        paint(image, where: removed) { _, _, _ in 128 }
    }

    /// The image with the prediction in the place of removed patches. Normalised predictions get the mean and deviation
    /// of the patch that was removed, which the model does not know.
    package func completed(_ image: Image, prediction: [Float], removed: [Float]) -> Image {
        let length = patch.height * patch.width * channels
        let statistics = isNormalized ? self.statistics(of: image) : []
        return paint(image, where: removed) { patchIndex, inner, channel in
            var value = Double(prediction[patchIndex * length + inner * channels + channel])
            if isNormalized { value = value * statistics[patchIndex].deviation + statistics[patchIndex].mean }
            let sample = (value * std[channel] + mean[channel]) * 255
            return sample.isFinite ? UInt8(min(max(sample.rounded(), 0), 255)) : 0
        }
    }

    private func paint(
        _ image: Image, where removed: [Float], _ sample: (_ patch: Int, _ inner: Int, _ channel: Int) -> UInt8
    ) -> Image {
        var pixels = image.pixels
        let gridWidth = image.width / patch.width
        for y in 0..<image.height {
            for x in 0..<image.width {
                let index = y / patch.height * gridWidth + x / patch.width
                guard removed[index] != 0 else { continue }
                let inner = y % patch.height * patch.width + x % patch.width
                for channel in 0..<channels {
                    pixels[(y * image.width + x) * channels + channel] = sample(index, inner, channel)
                }
            }
        }
        return Image(width: image.width, height: image.height, channels: channels, pixels: pixels)
    }

    /// Mean and deviation of each patch of an image, as the model takes it.
    private func statistics(of image: Image) -> [(mean: Double, deviation: Double)] {
        let (rows, columns) = (image.height / patch.height, image.width / patch.width)
        let count = Double(patch.height * patch.width * channels)
        return (0..<rows * columns).map { index in
            var (sum, squares) = (0.0, 0.0)
            for y in index / columns * patch.height..<(index / columns + 1) * patch.height {
                for x in index % columns * patch.width..<(index % columns + 1) * patch.width {
                    for channel in 0..<channels {
                        let sample = Double(image.pixels[(y * image.width + x) * channels + channel]) / 255
                        let value = (sample - mean[channel]) / std[channel]
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
}
