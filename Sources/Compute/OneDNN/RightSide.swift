import CKernels
import COneDNN

/// The right side B (inner, columns) of a matrix product.
@safe
struct RightSide {
    let pointer: UnsafeRawPointer
    let inner: Int
    let columns: Int
    let layout: Layout

    /// How B lies in memory.
    enum Layout: Equatable {
        /// As it is, with distances in floats between rows and between columns.
        case inPlace(Int, Int)
        /// As oneDNN's fast product wants it.
        case packed
        /// As this package's own product reads it, with distances in floats between panels and between rows of a panel.
        case panels(stride: Int, rowStride: Int)
    }

    /// Whether this package's own product reads it.
    var isPanels: Bool { if case .panels = layout { true } else { false } }

    /// Distances in floats between rows and between columns; nil: in another order.
    var strides: (Int, Int)? {
        if case .inPlace(let row, let column) = layout { (row, column) } else { nil }
    }

    /// The rows and columns of a product with this side that one task computes, of `rowCount` rows that lie in groups.
    func taskSize(rowCount: Int, inGroupsOf rowsPerGroup: Int) -> (rows: Int, columns: Int) {
        switch layout {
        // More where the task has to copy weights into place for itself.
        case .inPlace: (OneDNNEngine.rowsPerPlainTask, OneDNNEngine.columnsPerPlainTask)
        // oneDNN's fast product writes whole rows only.
        case .packed: (OneDNNEngine.rowsPerTask(rowCount: rowsPerGroup), columns)
        case .panels: Panels.taskSize(rowCount: rowCount, inGroupsOf: rowsPerGroup, columns: columns)
        }
    }

    /// Where column `column` begins: any of a matrix in place, the first of a panel; what oneDNN packed is read as a whole.
    func column(_ column: Int) -> UnsafeRawPointer {
        let offset =
            switch layout {
            case .inPlace(_, let stride): column * stride
            case .packed: 0
            case .panels(let stride, _): column / Panels.width * stride
            }
        return unsafe pointer + offset * MemoryLayout<Float>.stride
    }
}

/// Right sides for this package's own product, which reads panels of columns, each row by row.
enum Panels {
    /// Columns of a panel.
    static let width = Int(vit_panel_width)
    /// Whether this processor runs that product.
    static var areSupported: Bool { vit_has_panel_products() != 0 }
    /// Rows of a product from which on they make enough tasks for many threads.
    static let manyRows = 384
    /// Rows of a product from which on a matrix whose rows can be read as they lie is packed all the same.
    static let rowsReadInPlace = 2048
    /// Rows that one task computes of fewer rows: several for each weight that it reads.
    private static let rowsOfFew = 108
    /// The least number of columns that pays for putting the rows in order.
    private static let leastColumns = 96
    /// Rows that one task computes of many at most, a quarter of the columns but not fewer than these: each number of
    /// either side is then read a few times only, and there are enough tasks for threads to end together.
    private static let (rowsOfMany, leastColumnsOfMany) = (144, 192)

    /// The layout of panels that were packed, one after the other.
    static func packed(inner: Int) -> RightSide.Layout { .panels(stride: stride(inner: inner), rowStride: width) }

    /// That of a matrix in place, where its rows can be read as they lie.
    static func inPlace(columns: Int, strides: (Int, Int)) -> RightSide.Layout? {
        guard columns % width == 0, strides.1 == 1, strides.0 % Int(vit_conflicting_stride) != 0 else { return nil }
        return .panels(stride: width, rowStride: strides.0)
    }

    /// Floats from a packed panel to the next.
    static func stride(inner: Int) -> Int {
        let tile = Int(vit_packed_tile_rows)
        return (inner + tile - 1) / tile * tile * width
    }

    /// Floats of all of them.
    static func floatCount(inner: Int, columns: Int) -> Int {
        (columns + width - 1) / width * stride(inner: inner)
    }

    /// Floats from a row to the next so that rows of `width` numbers do not drive each other out of the caches.
    static func rowStride(width: Int) -> Int {
        width % Int(vit_conflicting_stride) == 0 ? width + Int(vit_packed_tile_rows) : width
    }

    /// The rows and columns that one task computes.
    static func taskSize(rowCount: Int, inGroupsOf rowsPerGroup: Int, columns: Int) -> (rows: Int, columns: Int) {
        guard rowCount < manyRows else {
            return (
                OneDNNEngine.rowsPerTask(rowCount: rowsPerGroup, longest: rowsOfMany),
                wholePanels(max(leastColumnsOfMany, columns / 4))
            )
        }
        let strip = Int(vit_strip_rows)
        let parts = (rowsPerGroup + rowsOfFew - 1) / rowsOfFew
        let share = wholePanels(max(leastColumns, columns * parts / 12))
        let rows = (rowsPerGroup + parts - 1) / parts
        // As many tasks as there are threads end together only where they are equal; more of them may be whole strips.
        return (columns <= 2 * share ? rows : (rows + strip - 1) / strip * strip, share)
    }

    private static func wholePanels(_ columns: Int) -> Int { (columns + width - 1) / width * width }
}

/// How oneDNN packs a right side.
struct PackedLayout {
    /// The product that chose the layout.
    let reference: Primitive
    /// Columns that lie together, or 0 where the layout is not known.
    let blockWidth: Int

    var floatCount: Int { Int(unsafe vit_packed_size(reference.pointer)) / MemoryLayout<Float>.stride }
}

/// How an engine packs a right side.
struct Packing {
    let layout: RightSide.Layout
    /// Columns that lie together, or 0 where that is not known.
    let width: Int
    let floatCount: Int
}

extension OneDNNEngine {
    package func pack(_ weight: Tensor) -> LinearWeights {
        precondition(weight.shape.count == 2, "pack: expected a weight (outputs, inputs), got \(weight.shape)")
        return pack(weight, packing(inner: weight.shape[1], columns: weight.shape[0]))
    }

    func pack(_ weight: Tensor, _ packing: Packing) -> LinearWeights {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        let packed = LinearWeights(
            inputs: inputs, outputs: outputs,
            packed: Storage(byteCount: packing.floatCount * MemoryLayout<Float>.stride))
        if packing.width > 0 {
            unsafe packBlocks(
                weight.pointer, strides: (1, inputs), inner: inputs, columns: outputs, width: packing.width,
                into: packed.data.pointer)
        } else {
            let reference = cache.packedLayout(inner: inputs, columns: outputs).reference
            unsafe workers.run(1) { _, context, _ in
                let status = unsafe vit_pack(
                    reference.pointer, context, weight.pointer, 1, Int64(inputs), packed.data.pointer)
                check(status, "pack")
            }
        }
        return packed
    }

    /// How this engine's products want a right side.
    private func packing(inner: Int, columns: Int) -> Packing {
        guard hasPanels else { return oneDNNPacking(inner: inner, columns: columns) }
        return Packing(
            layout: Panels.packed(inner: inner), width: Panels.width,
            floatCount: Panels.floatCount(inner: inner, columns: columns))
    }

    /// How oneDNN's fast product does.
    func oneDNNPacking(inner: Int, columns: Int) -> Packing {
        let layout = cache.packedLayout(inner: inner, columns: columns)
        return Packing(layout: .packed, width: layout.blockWidth, floatCount: layout.floatCount)
    }

    /// The weights of a layer as the right side of x · Wᵀ.
    func rightSide(_ weights: LinearWeights, rowCount: Int, room: SharedRoom? = nil) -> RightSide {
        let (inner, columns) = (weights.inputs, weights.outputs)
        guard weights.isPacked else {
            return unsafe rightSide(
                weights.data.pointer, strides: (1, inner), inner: inner, columns: columns, rowCount: rowCount,
                room: room)
        }
        return unsafe RightSide(
            pointer: UnsafeRawPointer(weights.data.pointer), inner: inner, columns: columns,
            layout: hasPanels ? Panels.packed(inner: inner) : .packed)
    }

    /// A matrix that changes between two products: packed for this one where the rows are worth it, else in place. One
    /// product at a time uses a room.
    func rightSide(
        _ b: UnsafeMutablePointer<Float>, strides: (Int, Int), inner: Int, columns: Int, rowCount: Int,
        room: SharedRoom? = nil
    ) -> RightSide {
        if hasPanels, rowCount < Panels.rowsReadInPlace,
            let layout = Panels.inPlace(columns: columns, strides: strides)
        {
            return unsafe RightSide(pointer: UnsafeRawPointer(b), inner: inner, columns: columns, layout: layout)
        }
        let packing = packing(inner: inner, columns: columns)
        guard rowCount >= Self.rowsWorthPacking, packing.width > 0 else {
            return unsafe RightSide(
                pointer: UnsafeRawPointer(b), inner: inner, columns: columns, layout: .inPlace(strides.0, strides.1))
        }
        let room = unsafe (room ?? packedCopy).floats(packing.floatCount)
        unsafe packBlocks(b, strides: strides, inner: inner, columns: columns, width: packing.width, into: room)
        return unsafe RightSide(
            pointer: UnsafeRawPointer(room), inner: inner, columns: columns, layout: packing.layout)
    }

    private func packBlocks(
        _ b: UnsafeMutablePointer<Float>, strides: (Int, Int), inner: Int, columns: Int, width: Int,
        into packed: UnsafeMutablePointer<Float>
    ) {
        unsafe workers.run((columns + width - 1) / width) { block, _, _ in
            unsafe vit_pack_block(
                b, Int64(strides.0), Int64(strides.1), Int64(inner), Int64(columns), Int64(width), Int64(block),
                packed)
        }
    }
}
