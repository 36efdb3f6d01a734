import Imaging

/// An image that a masked autoencoder reconstructed.
public struct Reconstruction: Sendable {
    /// The image as prepared for the model.
    public let image: Image
    /// The patches that the encoder received, in its order; counted row by row from 0.
    public let kept: [Int]
    /// The decoder's output for each patch (L, p·p·C), in the order (row, column, channel).
    public let prediction: [Float]
    /// The mean squared error over the removed patches, in units of the target; nil if none was removed.
    public let loss: Double?
    /// Whether patches are shown with the mean and deviation of the original patch: a model of normalised patches predicts
    /// neither, and does not know those of removed patches.
    public var usesOwnStatistics: Bool { painter.isNormalized }

    private let removed: [Float]
    private let painter: PatchPainter

    init(
        image: Image, kept: [Int], removed: [Float], prediction: [Float], loss: Double?, painter: PatchPainter
    ) {
        self.image = image
        self.kept = kept
        self.removed = removed
        self.prediction = prediction
        self.loss = loss
        self.painter = painter
    }

    /// The number of patches.
    public var patchCount: Int { removed.count }

    /// The image with removed patches in grey.
    public var masked: Image { painter.masked(image, removed: removed) }

    /// All patches as the decoder predicts them. Visible patches are not part of the loss, and are often poor.
    public var reconstructed: Image { painter.completed(image, prediction: prediction) }

    /// The decoder's patches where patches were removed, and the original elsewhere.
    public var completed: Image { painter.completed(image, prediction: prediction, where: removed) }

    /// Whether all outputs of the model are finite.
    var isFinite: Bool { loss?.isFinite ?? true && prediction.allSatisfy(\.isFinite) }
}

extension Reconstruction {
    /// Four titled panels side by side, with a note below: the original, the masked image, the reconstruction, and the
    /// reconstruction with the visible patches pasted back.
    ///
    /// Images narrower than 192 pixels are enlarged by an integer factor.
    public func panels() -> Image {
        let (gap, scale) = (8, max(1, (192 + image.width - 1) / image.width))
        let (cellWidth, cellHeight) = (image.width * scale, image.height * scale)
        let width = 4 * cellWidth + 5 * gap
        let notes = Canvas.lines(of: note, width: width - 2 * gap)
        let top = gap + Canvas.lineHeight
        let height = top + cellHeight + gap + notes.count * Canvas.lineHeight + gap / 2
        var canvas = Canvas(width: width, height: height)
        let cells = [
            ("Original", image), ("\(patchCount - kept.count) of \(patchCount) patches masked", masked),
            ("Reconstruction", reconstructed), ("Visible patches pasted back", completed),
        ]
        for (index, (title, panel)) in cells.enumerated() {
            let x = gap + index * (cellWidth + gap)
            canvas.write(title, x: x, y: gap)
            canvas.draw(panel, x: x, y: top, scale: scale)
        }
        for (index, line) in notes.enumerated() {
            canvas.write(line, x: gap, y: top + cellHeight + gap + index * Canvas.lineHeight)
        }
        return canvas.image
    }

    /// How the predicted patches are shown, and the loss.
    var note: String {
        let way =
            usesOwnStatistics
            ? "The model predicts normalised patches, without brightness and contrast. Each is shown with the mean and "
                + "standard deviation of the original patch, which the model does not know for masked patches."
            : "The model predicts pixels, which are shown as predicted."
        guard let loss else { return way }
        return "\(way) Loss over masked patches: \(Self.fourDigits(loss))."
    }

    /// A non-negative number with four decimals.
    package static func fourDigits(_ value: Double) -> String {
        guard value < 1e12 else { return "\(value)" }
        let whole = Int((value * 10_000).rounded())
        let fraction = "\(whole % 10_000)"
        return "\(whole / 10_000).\(String(repeating: "0", count: 4 - fraction.count))\(fraction)"
    }
}
