import Compute
import Imaging
import Models
import Support

/// What a model makes of masked images: 8-bit RGB, side by side.
struct ReconstructionImages {
    /// The images, their visible patches, and their reconstructions; nil where the model does not predict pixels.
    private let originals: Image
    private let masked: Image
    private let completed: Image?

    private static let gap = 2

    /// Runs the model over `fixed`; nil without images.
    init?(_ fixed: FixedImages, model mae: MAE) {
        guard !fixed.images.isEmpty else { return nil }
        let painter = mae.settings.painter
        var (masked, completed) = ([Image](), [Image]())
        fixed.forEachBatch(of: mae) { numbers, mask, prediction in
            for (slot, number) in numbers.enumerated() {
                let removed = Array(mask.removed[slot * mask.patchCount..<(slot + 1) * mask.patchCount])
                let image = fixed.images[number]
                masked.append(painter.masked(image, removed: removed))
                guard mae.settings.predictsPixels else { continue }
                let patches = mask.filled(prediction.rows(slot..<slot + 1).values, image: slot)
                completed.append(painter.completed(image, prediction: patches, where: removed))
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

    /// Writes the images of step `step` to a run.
    func write(to run: RunDirectory, step: Int) throws {
        try Files.makeDirectory(run.reconstructions)
        for (name, image) in [("original", originals), ("masked", masked), ("\(step)", completed)] {
            guard let image else { continue }
            // JPEG is limited in width.
            let bytes = image.width <= 65_500 ? image.encodedJPEG(quality: 90) : image.encodedPNG()
            try Files.write(bytes, to: Files.join(run.reconstructions, "\(name).jpg"))
        }
    }
}
