import CKernels

extension CPUEngine {
    package func linear(
        _ x: Tensor, _ weights: any LinearWeights, bias: Tensor?, epilogue: LinearEpilogue, into y: Tensor
    ) {
        let rowCount = x.count / weights.inputs
        precondition(
            x.count == rowCount * weights.inputs && y.count == rowCount * weights.outputs
                && epilogue.residual.map { $0.count == y.count } ?? true,
            "linear: \(weights.inputs) → \(weights.outputs) got x \(x.shape), y \(y.shape)")
        let layer = LayerGemm(b: rightOperand(weights.onCPU, rowCount: rowCount), bias: bias, epilogue: epilogue)
        unsafe multiply(layer, x.pointer, rows: RowGroups(rowsPerGroup: rowCount), into: y.elements)
    }

    package func embedPatches(
        _ patches: Tensor, _ weights: any LinearWeights, bias: Tensor?, positions: Tensor, from prefix: Int,
        into tokens: Tensor
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
        let layer = LayerGemm(
            b: rightOperand(weights.onCPU, rowCount: imageCount * patchCount), bias: bias,
            epilogue: LinearEpilogue(residual: positions))
        unsafe multiply(layer, patches.pointer, rows: rows, into: tokens.elements)
    }
}

// MARK: - Backward

extension CPUEngine {
    package func linearInputGradient(_ dy: Tensor, _ weights: any LinearWeights, dx: Tensor) {
        let (weight, kernel) = (weights.onCPU.matrix, weights.onCPU.kernel)
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        let rowCount = dy.count / outputs
        precondition(
            dy.count == rowCount * outputs && dx.count == rowCount * inputs,
            "linearInputGradient: \(inputs) → \(outputs) got dy \(dy.shape), dx \(dx.shape)")
        let layer = LayerGemm(
            b: unsafe rightOperand(
                weight.pointer, strides: (inputs, 1), k: outputs, n: inputs, rowCount: rowCount, kernel))
        unsafe multiply(layer, dy.pointer, rows: RowGroups(rowsPerGroup: rowCount), into: dx.elements)
    }

    package func linearWeightGradient(
        _ dy: Tensor, x: Tensor, _ weights: any LinearWeights, dWeight: Tensor, dBias: Tensor?
    ) {
        let (outputs, inputs) = (dWeight.shape[0], dWeight.shape[1])
        let rowCount = dy.count / outputs
        precondition(
            dy.count == rowCount * outputs && x.count == rowCount * inputs
                && dBias.map { $0.count == outputs } ?? true,
            "linearWeightGradient: \(inputs) → \(outputs) got dy \(dy.shape), x \(x.shape)")
        let tile = Self.weightGradientTile(outputs: outputs, inputs: inputs)
        let b = unsafe rightOperand(
            x.pointer, strides: (inputs, 1), k: rowCount, n: inputs, rowCount: min(tile.outputs, outputs),
            weights.onCPU.kernel)
        let product = LayerGemm(b: b, accumulates: true, xStrides: (1, outputs))
        let left = unsafe transposedLeftOperand(dy.pointer, product, m: outputs)
        let columnBlocks = (inputs + tile.inputs - 1) / tile.inputs
        let workspaceCount = left.isRounded ? 0 : product.workspaceCount(rowCount: tile.outputs)
        workers.run((outputs + tile.outputs - 1) / tile.outputs * columnBlocks) { task, worker in
            let (row, column) = (task / columnBlocks * tile.outputs, task % columnBlocks * tile.inputs)
            unsafe product.run(
                rowCount: min(tile.outputs, outputs - row), columns: column..<min(column + tile.inputs, inputs),
                x: left.rows(from: row, ofGroup: 0), residual: nil, y: dWeight.pointer + row * inputs + column,
                workspace: scratch(of: worker, floatCount: workspaceCount))
        }
        if let dBias { biasGradient(dy, rowCount: rowCount, dBias: dBias) }
    }

    private func biasGradient(_ dy: Tensor, rowCount: Int, dBias: Tensor) {
        let outputs = dBias.count
        forBlocks(of: Self.columnsPerTask, in: outputs) { columns, _ in
            unsafe vit_add_column_sums(
                dy.pointer + columns.lowerBound, rowCount, columns.count, outputs, dBias.pointer + columns.lowerBound)
        }
    }

    /// The part of a weight's gradient that one task computes: large, since a task reads both operands from memory, and
    /// such that both two and four threads get equal shares.
    private static func weightGradientTile(outputs: Int, inputs: Int) -> (outputs: Int, inputs: Int) {
        // A number read from memory takes as long as so many multiply-adds.
        let readingCost = 16
        var best = (outputs: 96, inputs: 512, cost: Int.max)
        for rows in [96, 72, 48, 36, 24] {
            for columns in [512, 384, 256, 192, 128, 96, 64] {
                let (height, width) = (min(rows, outputs), min(columns, inputs))
                let taskCount = ((outputs + rows - 1) / rows) * ((inputs + columns - 1) / columns)
                let cost = [2, 4].reduce(0) { cost, threads in
                    let rounds = (taskCount + threads - 1) / threads
                    return cost + threads * rounds * (height * width + readingCost * (height + width))
                }
                if cost < best.cost { best = (rows, columns, cost) }
            }
        }
        return (best.outputs, best.inputs)
    }
}
