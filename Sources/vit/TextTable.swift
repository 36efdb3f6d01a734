import Checkpoints
import Training

/// Columns of text, the first aligned to the left, the others to the right; a cell cannot break its line.
struct TextTable {
    let header: [String]
    let rows: [[String]]

    var text: String {
        let lines = ([header] + rows).map { $0.map(printable) }
        let widths = header.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.reduce(into: "") { text, cells in
            for (column, cell) in cells.enumerated() {
                let space = String(repeating: " ", count: widths[column] - cell.count)
                text += column == 0 ? cell + space : "  " + space + cell
            }
            while text.last == " " { text.removeLast() }
            text += "\n"
        }
    }
}

/// A part of 1 with two digits after the point.
func percent(_ value: Double) -> String { "\(fixed(value * 100, 2)) %" }
