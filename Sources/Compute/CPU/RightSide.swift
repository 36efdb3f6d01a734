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
        case panels(Panels, stride: Int, rowStride: Int)
    }

    /// This package's own product, where it is what reads it.
    var panels: Panels? { if case .panels(let panels, _, _) = layout { panels } else { nil } }

    /// Distances in floats between rows and between columns; nil: in another order.
    var strides: (Int, Int)? {
        if case .inPlace(let row, let column) = layout { (row, column) } else { nil }
    }

    /// The blocks of a group's rows and the number of columns that one task computes of a product with this side, of
    /// `rowCount` rows in all.
    func tasks(rowCount: Int, inGroupsOf rowsPerGroup: Int) -> (rows: RowBlocks, columns: Int) {
        switch layout {
        // More where the task has to copy weights into place for itself.
        case .inPlace:
            (equalBlocks(of: CPUEngine.rowsPerPlainTask, in: rowsPerGroup), CPUEngine.columnsPerPlainTask)
        // oneDNN's fast product writes whole rows only.
        case .packed: (equalBlocks(of: CPUEngine.rowsPerTask(rowCount: rowsPerGroup), in: rowsPerGroup), columns)
        case .panels(let panels, _, _): panels.tasks(rowCount: rowCount, inGroupsOf: rowsPerGroup, columns: columns)
        }
    }

    /// Blocks of rows that go through two layers before the next ones do.
    func rowBlocks(rowCount: Int) -> RowBlocks {
        switch layout {
        case .inPlace: equalBlocks(of: CPUEngine.rowsPerPlainTask, in: rowCount)
        case .packed: equalBlocks(of: CPUEngine.rowsPerTask(rowCount: rowCount), in: rowCount)
        case .panels(let panels, _, _): panels.rowBlocks(rowCount: rowCount, longest: CPUEngine.rowsPerFusedTask)
        }
    }

    /// oneDNN compiles a product for each number of rows.
    private func equalBlocks(of size: Int, in rowCount: Int) -> RowBlocks {
        RowBlocks(rowCount: rowCount, blockCount: (rowCount + size - 1) / size, stripRows: size)
    }

    /// Where column `column` begins: any of a matrix in place, the first of a panel; what oneDNN packed is read as a whole.
    func column(_ column: Int) -> UnsafeRawPointer {
        let offset =
            switch layout {
            case .inPlace(_, let stride): column * stride
            case .packed: 0
            case .panels(let panels, let stride, _): column / panels.width * stride
            }
        return unsafe pointer + offset * MemoryLayout<Float>.stride
    }
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

extension CPUEngine {
    package func linearWeights(_ weight: Tensor, precision: Precision, changes: Bool) -> any LinearWeights {
        precondition(
            weight.shape.count == 2, "linearWeights: expected a weight (outputs, inputs), got \(weight.shape)")
        if changes { return CPULinearWeights(inPlace: weight) }
        return pack(weight, packing(inner: weight.shape[1], columns: weight.shape[0]))
    }

    func pack(_ weight: Tensor, _ packing: Packing) -> CPULinearWeights {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        let packed = CPULinearWeights(
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
        guard let panels else { return oneDNNPacking(inner: inner, columns: columns) }
        return Packing(
            layout: panels.packed(inner: inner), width: panels.width,
            floatCount: panels.floatCount(inner: inner, columns: columns))
    }

    /// How oneDNN's fast product does.
    func oneDNNPacking(inner: Int, columns: Int) -> Packing {
        let layout = cache.packedLayout(inner: inner, columns: columns)
        return Packing(layout: .packed, width: layout.blockWidth, floatCount: layout.floatCount)
    }

    /// The weights of a layer as the right side of x · Wᵀ.
    func rightSide(_ weights: CPULinearWeights, rowCount: Int, workspace: SharedWorkspace? = nil) -> RightSide {
        let (inner, columns) = (weights.inputs, weights.outputs)
        guard weights.isPacked else {
            return unsafe rightSide(
                weights.data.pointer, strides: (1, inner), inner: inner, columns: columns, rowCount: rowCount,
                workspace: workspace)
        }
        return unsafe RightSide(
            pointer: UnsafeRawPointer(weights.data.pointer), inner: inner, columns: columns,
            layout: panels?.packed(inner: inner) ?? .packed)
    }

    /// A matrix that changes between two products: packed for this one where the rows are worth it, else in place. One
    /// product at a time uses a room.
    func rightSide(
        _ b: UnsafeMutablePointer<Float>, strides: (Int, Int), inner: Int, columns: Int, rowCount: Int,
        workspace: SharedWorkspace? = nil
    ) -> RightSide {
        if let panels, panels.readsLayersInPlace, rowCount < Panels.rowsReadInPlace,
            let layout = panels.inPlace(columns: columns, strides: strides)
        {
            return unsafe RightSide(pointer: UnsafeRawPointer(b), inner: inner, columns: columns, layout: layout)
        }
        let packing = packing(inner: inner, columns: columns)
        guard rowCount >= Self.rowsWorthPacking, packing.width > 0 else {
            return unsafe RightSide(
                pointer: UnsafeRawPointer(b), inner: inner, columns: columns, layout: .inPlace(strides.0, strides.1))
        }
        let workspace = unsafe (workspace ?? packedCopy).floats(packing.floatCount)
        unsafe packBlocks(b, strides: strides, inner: inner, columns: columns, width: packing.width, into: workspace)
        return unsafe RightSide(
            pointer: UnsafeRawPointer(workspace), inner: inner, columns: columns, layout: packing.layout)
    }

    private func packBlocks(
        _ b: UnsafeMutablePointer<Float>, strides: (Int, Int), inner: Int, columns: Int, width: Int,
        into packed: UnsafeMutablePointer<Float>
    ) {
        let packing = unsafe vit_packing(
            b: UnsafePointer(b), row_stride: Int64(strides.0), column_stride: Int64(strides.1), inner: Int64(inner),
            columns: Int64(columns), width: Int64(width))
        let blockCount = (columns + width - 1) / width
        // Rows that lie in order are read in pieces of several lines of the cache.
        let size = strides.1 == 1 ? max(1, Self.columnsPackedTogether / width) : 1
        unsafe workers.run((blockCount + size - 1) / size) { task, _, _ in
            let first = task * size
            unsafe withUnsafePointer(to: packing) {
                unsafe vit_pack_blocks($0, Int64(first), Int64(min(size, blockCount - first)), packed)
            }
        }
    }
}
