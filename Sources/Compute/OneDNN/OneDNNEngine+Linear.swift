import COneDNN

extension OneDNNEngine {
    package func pack(_ weight: Tensor) -> LinearWeights {
        precondition(weight.shape.count == 2, "pack: expected a weight (outputs, inputs), got \(weight.shape)")
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        let reference = cache.packingReference(inner: inputs, columns: outputs, rows: Self.rowsPerTask)
        let packed = LinearWeights(
            inputs: inputs, outputs: outputs, packed: Storage(byteCount: unsafe vit_packed_size(reference.pointer)))
        let width = Int(unsafe vit_packed_block_width(reference.pointer))
        if width > 0 {
            unsafe workers.run((outputs + width - 1) / width) { block, _, _ in
                unsafe vit_pack_block(
                    weight.pointer, Int64(inputs), Int64(outputs), Int64(width), Int64(block), packed.data.pointer)
            }
        } else {
            unsafe workers.run(1) { _, context, _ in
                let status = unsafe vit_pack(
                    reference.pointer, context, weight.pointer, 1, Int64(inputs), packed.data.pointer)
                check(status, "pack")
            }
        }
        return packed
    }

    package func linear(_ x: Tensor, _ weights: LinearWeights, bias: Tensor?, epilogue: LinearEpilogue, into y: Tensor)
    {
        let rowCount = x.count / weights.inputs
        precondition(
            x.count == rowCount * weights.inputs && y.count == rowCount * weights.outputs
                && epilogue.residual.map { $0.count == y.count } ?? true,
            "linear: \(weights.inputs) → \(weights.outputs) got x \(x.shape), y \(y.shape)")
        let rows = RowGroups(
            groupCount: 1, rowsPerGroup: rowCount, xStride: 0, yStride: 0, residualStride: 0, yOffset: 0)
        multiply(x, weights, bias: bias, epilogue: epilogue, into: y, rows: rows)
    }

    package func embedPatches(
        _ patches: Tensor, _ weights: LinearWeights, bias: Tensor?, positions: Tensor, prefix: Int, into tokens: Tensor
    ) {
        let (imageCount, patchCount) = (patches.shape[0], patches.shape[1])
        let tokenCount = tokens.shape[1]
        precondition(
            tokens.shape == [imageCount, prefix + patchCount, weights.outputs]
                && positions.count % (patchCount * weights.outputs) == 0 && patches.shape[2] == weights.inputs,
            "embedPatches: got patches \(patches.shape), positions \(positions.shape), tokens \(tokens.shape)")
        let isShared = positions.count == patchCount * weights.outputs
        let rows = RowGroups(
            groupCount: imageCount, rowsPerGroup: patchCount, xStride: patchCount * weights.inputs,
            yStride: tokenCount * weights.outputs, residualStride: isShared ? 0 : patchCount * weights.outputs,
            yOffset: prefix * weights.outputs)
        multiply(patches, weights, bias: bias, epilogue: LinearEpilogue(residual: positions), into: tokens, rows: rows)
    }

    /// Equal groups of rows (one an image) and how far apart, in floats, they lie in each operand.
    private struct RowGroups {
        var groupCount: Int
        var rowsPerGroup: Int
        var xStride: Int
        var yStride: Int
        var residualStride: Int
        var yOffset: Int
    }

    private func multiply(
        _ x: Tensor, _ weights: LinearWeights, bias: Tensor?, epilogue: LinearEpilogue, into y: Tensor, rows: RowGroups
    ) {
        let (inputs, outputs) = (weights.inputs, weights.outputs)
        let size = weights.isPacked ? Self.rowsPerTask : Self.rowsPerPlainTask
        func primitive(rowCount: Int) -> Primitive {
            var shape = MatmulShape(
                rows: rowCount, inner: inputs, columns: outputs, aStrides: (inputs, 1),
                bStrides: weights.isPacked ? nil : (1, inputs), cStride: outputs)
            shape.residualStride = epilogue.residual == nil ? nil : outputs
            shape.activation = epilogue.activation
            shape.hasBias = bias != nil
            shape.hasColumnScale = epilogue.columnScale != nil
            return weights.isPacked ? cache.packedMatmul(shape, packingRows: size) : cache.matmul(shape)
        }
        let blocksPerGroup = (rows.rowsPerGroup + size - 1) / size
        let restCount = rows.rowsPerGroup % size
        let whole = primitive(rowCount: min(size, max(rows.rowsPerGroup, 1)))
        let rest = restCount == 0 ? whole : primitive(rowCount: restCount)
        unsafe workers.run(blocksPerGroup * rows.groupCount) { task, context, _ in
            let (group, block) = (task / blocksPerGroup, task % blocksPerGroup)
            let row = block * size
            let isRest = row + size > rows.rowsPerGroup
            let yOffset = rows.yOffset + group * rows.yStride + row * outputs
            var arguments = unsafe vit_matmul_arguments()
            unsafe arguments.a = UnsafePointer(x.pointer + group * rows.xStride + row * inputs)
            unsafe arguments.b = UnsafeRawPointer(weights.data.pointer)
            unsafe arguments.bias = bias.map { unsafe UnsafePointer($0.pointer) }
            unsafe arguments.column_scale = epilogue.columnScale.map { unsafe UnsafePointer($0.pointer) }
            unsafe arguments.residual = epilogue.residual.map {
                unsafe UnsafePointer($0.pointer + group * rows.residualStride + row * outputs)
            }
            unsafe arguments.c = y.pointer + yOffset
            let status = unsafe vit_matmul_run((isRest ? rest : whole).pointer, context, &arguments)
            check(status, "linear")
        }
    }
}
