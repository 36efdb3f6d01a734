import Imaging
import Models

/// The attention of an encoder for one image.
public struct AttentionMaps: Sendable {
    /// The image as prepared for the model.
    public let image: Image
    /// The block that `weights` belong to, counted from 1.
    public let layer: Int
    /// The attention weights (H, N, N); each row sums to 1.
    public let weights: [Float]
    /// The attention rollout over all blocks up to `layer` (N, N).
    ///
    /// Abnar and Zuidema 2020, "Quantifying Attention Flow in Transformers", section 3.1: the product, later blocks on the
    /// left, of 0.5 · W + 0.5 · I, where W is the mean over the heads and I accounts for the residual connection.
    public let rollout: [Float]

    let configuration: ViTConfiguration

    /// The number of heads.
    public var heads: Int { configuration.heads }

    /// The attention of `head`, counted from 1, to each patch: from the class token, or if there is none, averaged over all
    /// patches.
    public func map(head: Int) -> [Float] {
        let count = configuration.tokenCount * configuration.tokenCount
        return patches(Array(weights[(head - 1) * count..<head * count]))
    }

    /// The mean map over all heads.
    public var meanMap: [Float] {
        let maps = (1...heads).map(map(head:))
        return maps[0].indices.map { patch in maps.reduce(0) { $0 + $1[patch] } / Float(heads) }
    }

    /// The rollout's attention to each patch.
    public var rolloutMap: [Float] { patches(rollout) }

    private func patches(_ matrix: [Float]) -> [Float] {
        let (tokenCount, prefix) = (configuration.tokenCount, configuration.prefixCount)
        let queries = configuration.hasClassToken ? 0..<1 : prefix..<tokenCount
        return (prefix..<tokenCount).map { key in
            queries.reduce(0) { $0 + matrix[$1 * tokenCount + key] } / Float(queries.count)
        }
    }
}

extension AttentionMaps {
    /// What to draw.
    public enum Drawing: Sendable, Hashable {
        /// The mean over all heads, and each head.
        case sheet
        /// One head, counted from 1.
        case head(Int)
        /// The rollout.
        case rollout
    }

    /// The image, and beside it the image with each requested map drawn over it, on a colour scale of its own.
    ///
    /// Images narrower than 192 pixels are enlarged by an integer factor.
    public func drawn(_ drawing: Drawing) -> Image {
        var cells = [("Image", image)]
        switch drawing {
        case .sheet:
            cells.append(cell("Mean of \(heads) heads", meanMap))
            for head in 1...heads { cells.append(cell("Head \(head)", map(head: head))) }
        case .head(let head): cells.append(cell("Layer \(layer), head \(head)", map(head: head)))
        case .rollout: cells.append(cell("Rollout to layer \(layer)", rolloutMap))
        }
        return Self.sheet(cells, note: note(drawing))
    }

    private func cell(_ title: String, _ values: [Float]) -> (String, Image) {
        let grid = configuration.grid
        let map = HeatMap(values: values, columns: grid.width, rows: grid.height)
        let most = Reconstruction.fourDigits(Double(map.range.greatest))
        return ("\(title), max \(most)", map.drawn(over: image))
    }

    private func note(_ drawing: Drawing) -> String {
        let from = configuration.hasClassToken ? "the class token" : "the patches (averaged)"
        let what =
            drawing == .rollout
            ? "Attention rollout over layers 1 to \(layer), from \(from) to each patch (Abnar and Zuidema 2020)"
            : "Attention from \(from) to each patch, layer \(layer) of \(configuration.depth)"
        return "\(what). Each map is scaled from its minimum (the image alone) to its maximum "
            + "(yellow)."
    }

    /// Titled images in rows of at most five, above a colour legend and a note.
    private static func sheet(_ cells: [(title: String, image: Image)], note: String) -> Image {
        let (gap, first) = (8, cells[0].image)
        let scale = max(1, (192 + first.width - 1) / first.width)
        let columns = min(cells.count, 5)
        let (cellWidth, cellHeight) = (first.width * scale, first.height * scale)
        let rowHeight = Canvas.lineHeight + cellHeight + gap
        let width = columns * (cellWidth + gap) + gap
        let notes = Canvas.lines(of: note, width: width - 2 * gap)
        let bottom = gap + (cells.count + columns - 1) / columns * rowHeight
        var canvas = Canvas(width: width, height: bottom + Canvas.lineHeight * (notes.count + 1) + gap)
        for (index, cell) in cells.enumerated() {
            let (x, y) = (gap + index % columns * (cellWidth + gap), gap + index / columns * rowHeight)
            canvas.write(cell.title, x: x, y: y)
            canvas.draw(cell.image, x: x, y: y + Canvas.lineHeight, scale: scale)
        }
        canvas.draw(HeatMap.legend(width: width - 2 * gap, height: Canvas.lineHeight - 3), x: gap, y: bottom)
        for (index, line) in notes.enumerated() {
            canvas.write(line, x: gap, y: bottom + (index + 1) * Canvas.lineHeight)
        }
        return canvas.image
    }
}
