import Compute
import Imaging
import Models
import Support

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
            let painter = trainer.settings.painter
            for (slot, number) in numbers.enumerated() {
                let removed = Array(mask.removed[slot * mask.patchCount..<(slot + 1) * mask.patchCount])
                let image = fixed.images[number]
                masked.append(painter.masked(image, removed: removed))
                if trainer.settings.givesPixels {
                    completed.append(
                        painter.completed(
                            image, prediction: mask.filled(prediction.rows(slot..<slot + 1).values, image: slot),
                            where: removed))
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
        var canvas = Canvas(width: images.count * (width + gap) - gap, height: height)
        for (index, image) in images.enumerated() { canvas.draw(image, x: index * (width + gap), y: 0) }
        return canvas.image
    }
}

extension PretrainingSettings {
    /// Whether the decoder gives the pixels of a patch.
    fileprivate var givesPixels: Bool { target == .normalized || target == .pixels }

    /// Paints the patches of images that the model has taken.
    package var painter: PatchPainter {
        PatchPainter(
            patch: Size(height: run.patchSize.height, width: run.patchSize.width),
            preprocessing: run.preprocessing, isNormalized: target == .normalized)
    }
}
