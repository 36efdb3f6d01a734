import CKernels

/// How an engine multiplies matrices.
package enum MatrixProducts: Sendable {
    /// With this package's own kernel, compiled for AVX-512 or for AVX2.
    case avx512, avx2
    /// With oneDNN alone.
    case oneDNN

    /// Those that this processor can run, the fastest first.
    package static var supported: [MatrixProducts] {
        [.avx512, .avx2, .oneDNN].filter { $0.kind.map { vit_can_multiply_panels($0) != 0 } ?? true }
    }

    var panels: Panels? { kind.map(Panels.init) }

    private var kind: vit_panel_kind? {
        switch self {
        case .avx512: vit_avx512_panels
        case .avx2: vit_avx2_panels
        case .oneDNN: nil
        }
    }
}

/// Right sides for this package's own product, which reads panels of columns, each row by row.
struct Panels: Equatable {
    let kind: vit_panel_kind
    /// Columns of a panel.
    let width: Int
    /// Rows that are multiplied with a panel at a time.
    private let stripRows: Int

    init(_ kind: vit_panel_kind) {
        self.kind = kind
        width = Int(vit_panel_width(kind))
        stripRows = Int(vit_strip_rows(kind))
    }

    /// Whether the matrices of layers are read as they lie where that saves packing them: from narrow panels, whose rows are
    /// a line of the cache each, it takes longer.
    var readsLayersInPlace: Bool { kind == vit_avx512_panels }

    /// Floats that a product of so many rows needs besides its operands.
    func workspace(rowCount: Int, inner: Int) -> Int { Int(vit_panel_room(kind, Int64(rowCount), Int64(inner))) }

    /// Rows of a product from which on they make enough tasks for many threads.
    static let manyRows = 384
    /// Rows of a product from which on a matrix whose rows can be read as they lie is packed all the same.
    static let rowsReadInPlace = 2048
    /// Rows that one task computes of fewer rows, several for each weight that it reads, and the tasks that they make: the
    /// cores that have AVX2 alone have half the second cache.
    private var rowsOfFew: Int { kind == vit_avx512_panels ? 108 : 66 }
    private var tasksOfFew: Int { kind == vit_avx512_panels ? 12 : 24 }
    /// The least number of columns that pays for putting the rows in order.
    private static let leastColumns = 96
    /// Rows that one task computes of many at most, a quarter of the columns but not fewer than these: each number of
    /// either side is then read a few times only, and there are enough tasks for threads to end together.
    private static let (rowsOfMany, leastColumnsOfMany) = (144, 192)

    /// The layout of panels that were packed, one after the other.
    func packed(inner: Int) -> RightSide.Layout { .panels(self, stride: stride(inner: inner), rowStride: width) }

    /// That of a matrix in place, where its rows can be read as they lie.
    func inPlace(columns: Int, strides: (Int, Int)) -> RightSide.Layout? {
        guard columns % width == 0, strides.1 == 1, strides.0 % Int(vit_conflicting_stride) != 0 else { return nil }
        return .panels(self, stride: width, rowStride: strides.0)
    }

    /// Floats from a packed panel to the next.
    private func stride(inner: Int) -> Int {
        let tile = Int(vit_packed_tile_rows)
        return (inner + tile - 1) / tile * tile * width
    }

    /// Floats of all of them.
    func floatCount(inner: Int, columns: Int) -> Int {
        (columns + width - 1) / width * stride(inner: inner)
    }

    /// Floats from a row to the next so that rows of `width` numbers do not drive each other out of the caches.
    static func rowStride(width: Int) -> Int {
        width % Int(vit_conflicting_stride) == 0 ? width + Int(vit_packed_tile_rows) : width
    }

    /// The blocks of a group's rows and the number of columns that one task computes.
    func tasks(rowCount: Int, inGroupsOf rowsPerGroup: Int, columns: Int) -> (rows: RowBlocks, columns: Int) {
        guard rowCount < Self.manyRows else {
            return (
                rowBlocks(rowCount: rowsPerGroup, longest: Self.rowsOfMany),
                wholePanels(max(Self.leastColumnsOfMany, columns / 4))
            )
        }
        let parts = (rowsPerGroup + rowsOfFew - 1) / rowsOfFew
        return (
            RowBlocks(rowCount: rowsPerGroup, blockCount: parts, stripRows: stripRows),
            wholePanels(max(Self.leastColumns, columns * parts / tasksOfFew))
        )
    }

    /// Blocks of at most about `longest` rows, so many that two threads and four get equal shares.
    func rowBlocks(rowCount: Int, longest: Int) -> RowBlocks {
        let fewest = (rowCount + longest - 1) / longest
        let fours = (fewest + 3) / 4 * 4
        return RowBlocks(
            rowCount: rowCount, blockCount: rowCount / fours < 3 * stripRows ? fewest : fours, stripRows: stripRows)
    }

    private func wholePanels(_ columns: Int) -> Int { (columns + width - 1) / width * width }
}
