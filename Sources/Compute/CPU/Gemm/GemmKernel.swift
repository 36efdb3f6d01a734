import CKernels

/// The matrix product for one instruction set and precision, and what suits it: how B is laid out and how work is divided
/// into tasks.
///
/// In BLIS's words (Van Zee and van de Geijn 2015), a micro-kernel computes `mr` rows and `nr` columns of C at a time, and reads
/// B in micro-panels of `nr` columns.
struct GemmKernel: Equatable {
    let instructionSet: InstructionSet
    let precision: Precision
    let mr: Int
    let nr: Int

    init(_ instructionSet: InstructionSet, _ precision: Precision = .float32) {
        (self.instructionSet, self.precision) = (instructionSet, precision)
        mr = Int(vit_gemm_mr(instructionSet.kernel, precision.format))
        nr = Int(vit_gemm_nr(instructionSet.kernel, precision.format))
    }

    private var isAVX512: Bool { nr == 32 }

    /// The bytes that a number of packed B takes.
    var bytesPerWeight: Int {
        MemoryLayout<Float>.stride / Int(vit_gemm_numbers_per_word(instructionSet.kernel, precision.format))
    }

    /// Words of 32 bits that k numbers of a column of B take.
    func wordCount(k: Int) -> Int {
        let numbers = Int(vit_gemm_numbers_per_word(instructionSet.kernel, precision.format))
        return (k + numbers - 1) / numbers
    }

    /// Floats of workspace that a product needs.
    func workspaceCount(rowCount: Int, k: Int) -> Int {
        Int(vit_gemm_workspace(instructionSet.kernel, precision.format, Int64(rowCount), Int64(k)))
    }

    /// Floats from a row of rounded A to the next; 0: products round nothing.
    func roundedStride(k: Int) -> Int {
        Int(vit_gemm_rounded_stride(instructionSet.kernel, precision.format, Int64(k)))
    }

    /// Rounds rows of A, `stride` floats apart, for several products.
    func round(
        _ a: UnsafeMutablePointer<Float>, stride: Int, rowCount: Int, k: Int, into rounded: UnsafeMutablePointer<Float>,
        scales: UnsafeMutablePointer<Float>
    ) {
        unsafe vit_gemm_round_a(
            instructionSet.kernel, precision.format, a, Int64(stride), Int64(rowCount), Int64(k), rounded, scales)
    }

    /// Multiplies and adds in registers as the products in words do; returns how often, 0 where products are of floats.
    func multiplyAdds(rounds: Int) -> Int {
        Int(vit_word_multiply_adds(instructionSet.kernel, precision.format, Int64(rounds)))
    }

    func run(_ operands: inout vit_gemm_operands, workspace: UnsafeMutablePointer<Float>) {
        unsafe vit_gemm(instructionSet.kernel, precision.format, &operands, workspace)
    }
}

extension Precision {
    fileprivate var format: vit_gemm_format {
        switch self {
        case .float32: vit_float32
        case .bfloat16: vit_bfloat16
        case .int8: vit_int8
        }
    }
}

// MARK: - Layout of B

/// Distances in floats from a micro-panel of B to the next, and from a row of it to the next.
struct PanelLayout: Equatable {
    let panelStride: Int
    let rowStride: Int
}

extension GemmKernel {
    /// The layout of packed micro-panels, one after the other, each row by row.
    func packedLayout(k: Int) -> PanelLayout { PanelLayout(panelStride: wordCount(k: k) * nr, rowStride: nr) }

    /// The layout of a matrix (k, n) that is read in place; nil: it must be packed for a product of `rowCount` rows.
    ///
    /// Narrow micro-panels, whose rows are one line of the cache each, are worth packing for fewer rows than wide ones.
    func inPlaceLayout(n: Int, strides: (Int, Int), rowCount: Int) -> PanelLayout? {
        let isContiguous = n % nr == 0 && strides.1 == 1 && strides.0 % Int(vit_conflicting_stride) != 0
        return isContiguous && rowCount < (isAVX512 ? 2048 : 36)
            ? PanelLayout(panelStride: nr, rowStride: strides.0) : nil
    }

    /// Floats, or words, of a packed matrix (k, n).
    func packedCount(k: Int, n: Int) -> Int { panelCount(n: n) * wordCount(k: k) * nr }

    func panelCount(n: Int) -> Int { (n + nr - 1) / nr }

    /// A matrix (k, n) to be packed in panels of so many columns.
    @unsafe private func matrix(
        _ b: UnsafePointer<Float>, strides: (Int, Int), k: Int, n: Int, width: Int
    ) -> vit_b_matrix {
        unsafe vit_b_matrix(
            b: b, row_stride: Int64(strides.0), column_stride: Int64(strides.1), k: Int64(k), n: Int64(n),
            nr: Int64(width))
    }

    /// Packs micro-panels `panels` of a matrix (k, n).
    func pack(
        _ b: UnsafePointer<Float>, strides: (Int, Int), k: Int, n: Int, panels: Range<Int>,
        into packed: UnsafeMutablePointer<Float>
    ) {
        var matrix = unsafe matrix(b, strides: strides, k: k, n: n, width: nr)
        unsafe vit_pack_b(&matrix, Int64(panels.lowerBound), Int64(panels.count), packed)
    }

    /// Rounds micro-panel `panel` of a matrix (k, n) with contiguous columns, such as a transposed weight, and packs it.
    ///
    /// - Parameters:
    ///   - columns: takes what int8 needs of each column.
    ///   - workspace: `nr` columns of words.
    func packRounded(
        _ b: UnsafePointer<Float>, k: Int, n: Int, panel: Int, into packed: UnsafeMutablePointer<Float>,
        _ scales: ColumnScales?, workspace: UnsafeMutablePointer<Float>
    ) {
        let (words, column) = (wordCount(k: k), panel * nr)
        let columns = min(nr, n - column)
        unsafe vit_gemm_round_b(
            instructionSet.kernel, precision.format, b + column * k, Int64(k), Int64(columns), Int64(k), workspace,
            Int64(words), scales.map { unsafe $0.scales.pointer + column },
            scales.map { unsafe $0.sums.indices + column })
        unsafe pack(
            workspace, strides: (1, words), k: words, n: columns, panels: 0..<1, into: packed + column * words)
    }

    /// Packs micro-panels `panels` of a matrix (k, n) with contiguous rows, `stride` floats apart, rounded to the precision.
    func packRows(
        _ b: UnsafePointer<Float>, stride: Int, k: Int, n: Int, panels: Range<Int>,
        into packed: UnsafeMutablePointer<Float>
    ) {
        var matrix = unsafe matrix(b, strides: (stride, 1), k: k, n: n, width: nr)
        unsafe vit_gemm_pack_rows_of_b(
            instructionSet.kernel, precision.format, &matrix, Int64(panels.lowerBound), Int64(panels.count), packed)
    }

    /// Whether a word of A is a pair of numbers, as one of B is, rather than a number that is widened.
    var multipliesPairs: Bool { packedTileCount(k: 2) == mr }

    /// Floats of a packed tile of an A (m, k) whose columns are contiguous; 0: products read it as it is.
    func packedTileCount(k: Int) -> Int {
        Int(vit_gemm_packed_a_stride(instructionSet.kernel, precision.format, Int64(k)))
    }

    /// Packs tiles `tiles`, `mr` rows each, of an A (m, k) whose columns are contiguous, rounded to the precision.
    func packTiles(
        _ a: UnsafePointer<Float>, columnStride: Int, m: Int, k: Int, tiles: Range<Int>,
        into packed: UnsafeMutablePointer<Float>
    ) {
        var matrix = unsafe matrix(a, strides: (columnStride, 1), k: k, n: m, width: mr)
        unsafe vit_gemm_pack_rows_of_a(
            instructionSet.kernel, precision.format, &matrix, Int64(tiles.lowerBound), Int64(tiles.count), packed)
    }

    /// Floats from a row to the next so that rows of `width` floats do not evict each other from the caches.
    static func rowStride(width: Int) -> Int { width % Int(vit_conflicting_stride) == 0 ? width + 16 : width }
}

// MARK: - Tasks

extension GemmKernel {
    /// Rows of a product from which on they make enough tasks for many threads.
    static let manyRows = 384
    /// The least number of columns of a task for which packing its rows of A pays.
    private static let minColumns = 96
    /// At most so many rows a task where there are many, and a quarter of the columns but not fewer than these: each number of
    /// A and B is then read a few times only, and there are enough tasks for threads to finish together.
    private static let (maxRowsOfMany, minColumnsOfMany) = (144, 192)
    /// Rows of a task where there are few, several for each weight that it reads, and how many tasks they make: cores without
    /// AVX-512 have half the second-level cache.
    private var rowsOfFew: Int { isAVX512 ? 108 : 66 }
    private var tasksOfFew: Int { isAVX512 ? 12 : 24 }

    /// The blocks of a group's rows and the number of columns that one task computes, of `rowCount` rows in all.
    func tasks(rowCount: Int, inGroupsOf rowsPerGroup: Int, columns: Int) -> (rows: RowBlocks, columns: Int) {
        guard rowCount < Self.manyRows else {
            return (
                rowBlocks(rowCount: rowsPerGroup, longest: Self.maxRowsOfMany),
                wholePanels(max(Self.minColumnsOfMany, columns / 4))
            )
        }
        let blockCount = (rowsPerGroup + rowsOfFew - 1) / rowsOfFew
        return (
            RowBlocks(rowCount: rowsPerGroup, blockCount: blockCount, mr: mr),
            wholePanels(max(Self.minColumns, columns * blockCount / tasksOfFew))
        )
    }

    /// Blocks of about `longest` rows at most, so many that both two and four threads get equal shares.
    func rowBlocks(rowCount: Int, longest: Int) -> RowBlocks {
        let fewest = (rowCount + longest - 1) / longest
        let fours = (fewest + 3) / 4 * 4
        return RowBlocks(rowCount: rowCount, blockCount: rowCount / fours < 3 * mr ? fewest : fours, mr: mr)
    }

    private func wholePanels(_ columns: Int) -> Int { panelCount(n: columns) * nr }
}
