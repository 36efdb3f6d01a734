import Imaging

/// A picture that a masked autoencoder completed.
public struct Reconstruction: Sendable {
    /// The picture as it was prepared for the model.
    public let image: Image
    /// The patches that the encoder saw, in its order; counted row by row from 0.
    public let kept: [Int]
    /// What the decoder gave for each patch (L, p·p·C), in the order (row, column, channel).
    public let prediction: [Float]
    /// The mean squared error over the removed patches, in the numbers of the target; nil where none was removed.
    public let loss: Double?
    /// Whether each patch of `masked` … `completed` is shown with its own mean and deviation: the decoder gives patches
    /// without them, and those of removed patches are nothing that the model knows.
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

    /// The picture with grey in the place of removed patches.
    public var masked: Image { painter.masked(image, removed: removed) }

    /// All patches as the decoder gives them. Those that the encoder saw are part of no loss, and often poor.
    public var reconstructed: Image { painter.completed(image, prediction: prediction) }

    /// The decoder's patches where patches were removed, and the picture itself elsewhere.
    public var completed: Image { painter.completed(image, prediction: prediction, where: removed) }

    /// Whether all that the model gave is numbers.
    var isFinite: Bool { loss?.isFinite ?? true && prediction.allSatisfy(\.isFinite) }
}

extension Reconstruction {
    /// Four pictures side by side, with what they are above them and how they came about below: the original, what the
    /// encoder sees, the reconstruction, and the reconstruction with the visible patches in it.
    ///
    /// Pictures narrower than 192 pixels are enlarged by a whole number.
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
            ("Reconstruction", reconstructed), ("With the visible patches", completed),
        ]
        for (index, (title, picture)) in cells.enumerated() {
            let x = gap + index * (cellWidth + gap)
            canvas.write(title, x: x, y: gap)
            canvas.draw(picture, x: x, y: top, scale: scale)
        }
        for (index, line) in notes.enumerated() {
            canvas.write(line, x: gap, y: top + cellHeight + gap + index * Canvas.lineHeight)
        }
        return canvas.image
    }

    /// How the predicted patches came to be shown as they are, and the loss.
    var note: String {
        let way =
            usesOwnStatistics
            ? "The model predicts normalised patches, without brightness and contrast: to be shown here, each was given "
                + "its own mean and deviation from the original, also where it was masked and the model does not know them."
            : "The model predicts pixels: they are shown as predicted; no patch's own mean and deviation were used."
        guard let loss else { return way }
        return "\(way) Loss over the masked patches: \(Self.fourDigits(loss))."
    }

    /// A number that is not negative with four digits after the point.
    package static func fourDigits(_ value: Double) -> String {
        guard value < 1e12 else { return "\(value)" }
        let whole = Int((value * 10_000).rounded())
        let fraction = "\(whole % 10_000)"
        return "\(whole / 10_000).\(String(repeating: "0", count: 4 - fraction.count))\(fraction)"
    }
}
