import LibC
import Support

/// The fixed 2-D sine-cosine table of MAE.
package enum SinCosPositions {
    /// A row of `width` numbers for each place of the grid, row by row: the first half encodes the column, the second
    /// the row; each half is [sin …, cos …] of position · 10000^(−i / (width / 4)).
    ///
    /// Vaswani et al. 2017, section 3.5, in two dimensions as MAE (He et al. 2022, appendix A.1) uses it.
    package static func table(grid: Size, width: Int) -> [Float] {
        precondition(width % 4 == 0, "SinCosPositions: expected a width that 4 divides, got \(width)")
        let quarter = width / 4
        let frequencies = (0..<quarter).map { 1 / pow(10000, Double($0) / Double(quarter)) }
        func encode(_ position: Int) -> [Float] {
            let angles = frequencies.map { Double(position) * $0 }
            return angles.map { Float(sin($0)) } + angles.map { Float(cos($0)) }
        }
        let columns = (0..<grid.width).map(encode)
        return (0..<grid.height).flatMap { row in
            let encodedRow = encode(row)
            return columns.flatMap { $0 + encodedRow }
        }
    }
}
