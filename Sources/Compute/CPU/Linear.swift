import COneDNN

extension CPUEngine {
    package func linear(
        _ x: Tensor, _ weights: any LinearWeights, bias: Tensor?, epilogue: LinearEpilogue, into y: Tensor
    ) {
        let weights = weights.onCPU
        let rowCount = x.count / weights.inputs
        precondition(
            x.count == rowCount * weights.inputs && y.count == rowCount * weights.outputs
                && epilogue.residual.map { $0.count == y.count } ?? true,
            "linear: \(weights.inputs) → \(weights.outputs) got x \(x.shape), y \(y.shape)")
        let layer = LayerProduct(side: rightSide(weights, rowCount: rowCount), bias: bias, epilogue: epilogue)
        unsafe multiply(Product(layer: layer, x: x.pointer, y: y.pointer, rows: RowGroups(rowCount: rowCount)))
    }

    package func embedPatches(
        _ patches: Tensor, _ weights: any LinearWeights, bias: Tensor?, positions: Tensor, from prefix: Int,
        into tokens: Tensor
    ) {
        let weights = weights.onCPU
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
        unsafe multiply(
            Product(
                layer: LayerProduct(
                    side: rightSide(weights, rowCount: imageCount * patchCount), bias: bias,
                    epilogue: LinearEpilogue(residual: positions)), x: patches.pointer, y: tokens.pointer, rows: rows))
    }

    package func linearInputGradient(_ dy: Tensor, _ weights: any LinearWeights, dx: Tensor) {
        let weight = weights.onCPU.matrix
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        let rowCount = dy.count / outputs
        precondition(
            dy.count == rowCount * outputs && dx.count == rowCount * inputs,
            "linearInputGradient: \(inputs) → \(outputs) got dy \(dy.shape), dx \(dx.shape)")
        let side = unsafe rightSide(
            weight.pointer, strides: (inputs, 1), inner: outputs, columns: inputs, rowCount: rowCount)
        unsafe multiply(
            Product(layer: LayerProduct(side: side), x: dy.pointer, y: dx.pointer, rows: RowGroups(rowCount: rowCount)))
    }

    /// Equal groups of rows (one an image) and how far apart, in floats, they lie in each operand.
    struct RowGroups {
        var groupCount: Int
        var rowsPerGroup: Int
        var xStride: Int
        var yStride: Int
        var residualStride: Int
        var yOffset: Int

        init(
            groupCount: Int, rowsPerGroup: Int, xStride: Int, yStride: Int, residualStride: Int, yOffset: Int
        ) {
            self.groupCount = groupCount
            self.rowsPerGroup = rowsPerGroup
            self.xStride = xStride
            self.yStride = yStride
            self.residualStride = residualStride
            self.yOffset = yOffset
        }

        /// All rows in one group.
        init(rowCount: Int) {
            self.init(groupCount: 1, rowsPerGroup: rowCount, xStride: 0, yStride: 0, residualStride: 0, yOffset: 0)
        }
    }

    /// A layer's product with what it reads and writes.
    @safe
    struct Product {
        let layer: LayerProduct
        let x: UnsafeMutablePointer<Float>
        let y: UnsafeMutablePointer<Float>
        let rows: RowGroups
        /// What a task does with the rows and columns that it has computed, all in one group.
        var finish: (_ rows: Range<Int>, _ columns: Range<Int>) -> Void = { _, _ in }
    }

    func multiply(_ product: Product) {
        let (layer, rows) = (product.layer, product.rows)
        let tasks = layer.side.tasks(rowCount: rows.groupCount * rows.rowsPerGroup, inGroupsOf: rows.rowsPerGroup)
        let columnBlocks = (layer.side.columns + tasks.columns - 1) / tasks.columns
        let rowBlocks = tasks.rows.blockCount
        let workspaceCount = layer.workspaceCount(rowCount: tasks.rows.largest)
        let (xStride, yStride) = (layer.xStrides?.0 ?? layer.side.inner, layer.yStride ?? layer.side.columns)
        unsafe workers.run(rows.groupCount * rowBlocks * columnBlocks) { task, context, worker in
            let column = task % columnBlocks * tasks.columns
            let columns = column..<min(column + tasks.columns, layer.side.columns)
            let block = tasks.rows[task / columnBlocks % rowBlocks]
            let row = block.lowerBound
            let group = task / (columnBlocks * rowBlocks)
            unsafe layer.run(
                rowCount: block.count, columns: columns, cache: cache, context,
                workspace: workers.scratch(of: worker, floatCount: workspaceCount),
                x: product.x + group * rows.xStride + row * xStride,
                residual: layer.epilogue.residual.map {
                    unsafe $0.pointer + group * rows.residualStride + row * layer.side.columns + column
                },
                y: product.y + rows.yOffset + group * rows.yStride + row * yStride + column)
            product.finish(block, columns)
        }
    }
}
