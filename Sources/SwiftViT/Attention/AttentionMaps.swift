import Imaging
import Models

/// Where an encoder looks in one picture.
public struct AttentionMaps: Sendable {
    /// The picture as it was prepared for the model.
    public let image: Image
    /// The block that `weights` belong to, counted from 1.
    public let layer: Int
    /// How much each token attends to each, head by head (H, N, N); each row adds up to 1.
    public let weights: [Float]
    /// The attention of all blocks up to `layer` followed through to the patches (N, N).
    ///
    /// Abnar and Zuidema 2020, "Quantifying Attention Flow in Transformers", section 3.1: the product, later blocks to the
    /// left, of 0.5 · W + 0.5 · I, where W is the mean over the heads and I stands for the residual connection.
    public let rollout: [Float]

    let configuration: ViTConfiguration

    /// The number of heads.
    public var heads: Int { configuration.heads }

    /// How much of `head`, counted from 1, goes to each patch: from the class token, or where there is none from all
    /// patches on average.
    public func map(head: Int) -> [Float] {
        let count = configuration.tokenCount * configuration.tokenCount
        return patches(Array(weights[(head - 1) * count..<head * count]))
    }

    /// The mean over all heads.
    public var meanMap: [Float] {
        let maps = (1...heads).map(map(head:))
        return maps[0].indices.map { patch in maps.reduce(0) { $0 + $1[patch] } / Float(heads) }
    }

    /// The same of the rollout.
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
    /// What is drawn.
    public enum Drawing: Sendable, Hashable {
        /// The mean over all heads, and every head.
        case sheet
        /// One head, counted from 1.
        case head(Int)
        /// The rollout.
        case rollout
    }

    /// The picture, and beside it with what is asked for drawn over it; each map has the full range of colours.
    ///
    /// Pictures narrower than 192 pixels are enlarged by a whole number.
    public func drawn(_ drawing: Drawing) -> Image {
        var cells = [("Picture", image)]
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
        return ("\(title), up to \(most)", map.drawn(over: image))
    }

    private func note(_ drawing: Drawing) -> String {
        let from = configuration.hasClassToken ? "the class token" : "the patches, on average,"
        let what =
            drawing == .rollout
            ? "The attention of layers 1 to \(layer), followed through from \(from) to each patch (Abnar and Zuidema 2020)"
            : "How much \(from) of layer \(layer) of \(configuration.depth) attends to each patch"
        return "\(what). Colours from the least of a map, black, to its most, white."
    }

    /// Pictures with titles in rows of at most five, the colours and a note below.
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
