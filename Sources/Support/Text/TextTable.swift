/// Columns of text, the first aligned to the left, the others to the right; a cell cannot break its line.
package struct TextTable {
    private let header: [String]
    private let rows: [[String]]

    /// A table whose rows have as many cells as its header.
    package init(header: [String], rows: [[String]]) {
        self.header = header
        self.rows = rows
    }

    /// The lines, without spaces at their ends.
    package var text: String {
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
