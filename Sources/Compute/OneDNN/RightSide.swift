import CKernels
import COneDNN

/// The right side B (inner, columns) of a matrix product.
@safe
struct RightSide {
    let pointer: UnsafeRawPointer
    let inner: Int
    let columns: Int
    /// Distances in floats between rows and between columns; nil: packed.
    let strides: (Int, Int)?

    /// Rows that one task computes of a product with this side: more where the task has to copy it into place for itself.
    func rowsPerTask(rowCount: Int) -> Int {
        strides == nil ? OneDNNEngine.rowsPerTask(rowCount: rowCount) : OneDNNEngine.rowsPerPlainTask
    }

    /// Where column `column` of a matrix in place begins; a packed one is read as a whole.
    func column(_ column: Int) -> UnsafeRawPointer {
        unsafe pointer + column * (strides?.1 ?? 0) * MemoryLayout<Float>.stride
    }
}

/// How a right side is packed.
struct PackedLayout {
    /// The product that chose the layout.
    let reference: Primitive
    /// Columns that lie together, or 0 where the layout is not known.
    let blockWidth: Int

    var floatCount: Int { Int(unsafe vit_packed_size(reference.pointer)) / MemoryLayout<Float>.stride }
}

extension OneDNNEngine {
    package func pack(_ weight: Tensor) -> LinearWeights {
        precondition(weight.shape.count == 2, "pack: expected a weight (outputs, inputs), got \(weight.shape)")
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        let layout = cache.packedLayout(inner: inputs, columns: outputs)
        let packed = LinearWeights(
            inputs: inputs, outputs: outputs,
            packed: Storage(byteCount: layout.floatCount * MemoryLayout<Float>.stride))
        if layout.blockWidth > 0 {
            unsafe packBlocks(
                weight.pointer, strides: (1, inputs), inner: inputs, columns: outputs, layout, into: packed.data.pointer
            )
        } else {
            unsafe workers.run(1) { _, context, _ in
                let status = unsafe vit_pack(
                    layout.reference.pointer, context, weight.pointer, 1, Int64(inputs), packed.data.pointer)
                check(status, "pack")
            }
        }
        return packed
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
            pointer: UnsafeRawPointer(weights.data.pointer), inner: inner, columns: columns, strides: nil)
    }

    /// A matrix that changes between two products: packed for this one where the rows are worth it, else in place. One
    /// product at a time uses a room.
    func rightSide(
        _ b: UnsafeMutablePointer<Float>, strides: (Int, Int), inner: Int, columns: Int, rowCount: Int,
        room: SharedRoom? = nil
    ) -> RightSide {
        let layout = cache.packedLayout(inner: inner, columns: columns)
        guard rowCount >= Self.rowsWorthPacking, layout.blockWidth > 0 else {
            return unsafe RightSide(
                pointer: UnsafeRawPointer(b), inner: inner, columns: columns, strides: strides)
        }
        let room = unsafe (room ?? packedCopy).floats(layout.floatCount)
        unsafe packBlocks(b, strides: strides, inner: inner, columns: columns, layout, into: room)
        return unsafe RightSide(
            pointer: UnsafeRawPointer(room), inner: inner, columns: columns, strides: nil)
    }

    private func packBlocks(
        _ b: UnsafeMutablePointer<Float>, strides: (Int, Int), inner: Int, columns: Int, _ layout: PackedLayout,
        into packed: UnsafeMutablePointer<Float>
    ) {
        let width = layout.blockWidth
        unsafe workers.run((columns + width - 1) / width) { block, _, _ in
            unsafe vit_pack_block(
                b, Int64(strides.0), Int64(strides.1), Int64(inner), Int64(columns), Int64(width), Int64(block),
                packed)
        }
    }
}
