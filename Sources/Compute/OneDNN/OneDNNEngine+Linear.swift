import COneDNN

extension OneDNNEngine {
    package func linear(_ x: Tensor, _ weights: LinearWeights, bias: Tensor?, epilogue: LinearEpilogue, into y: Tensor)
    {
        let rowCount = x.count / weights.inputs
        precondition(
            x.count == rowCount * weights.inputs && y.count == rowCount * weights.outputs
                && epilogue.residual.map { $0.count == y.count } ?? true,
            "linear: \(weights.inputs) → \(weights.outputs) got x \(x.shape), y \(y.shape)")
        multiply(
            Product(
                layer: LayerProduct(side: rightSide(weights, rowCount: rowCount), bias: bias, epilogue: epilogue), x: x,
                y: y, rows: RowGroups(rowCount: rowCount)))
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
        multiply(
            Product(
                layer: LayerProduct(
                    side: rightSide(weights, rowCount: imageCount * patchCount), bias: bias,
                    epilogue: LinearEpilogue(residual: positions)), x: patches, y: tokens, rows: rows))
    }

    package func linearInputGradient(_ dy: Tensor, weight: Tensor, dx: Tensor) {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        let rowCount = dy.count / outputs
        precondition(
            dy.count == rowCount * outputs && dx.count == rowCount * inputs,
            "linearInputGradient: \(inputs) → \(outputs) got dy \(dy.shape), dx \(dx.shape)")
        let side = unsafe rightSide(
            weight.pointer, strides: (inputs, 1), inner: outputs, columns: inputs, rowCount: rowCount)
        multiply(Product(layer: LayerProduct(side: side), x: dy, y: dx, rows: RowGroups(rowCount: rowCount)))
    }

    /// Equal groups of rows (one an image) and how far apart, in floats, they lie in each operand.
    private struct RowGroups {
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
    private struct Product {
        let layer: LayerProduct
        let x: Tensor
        let y: Tensor
        let rows: RowGroups
    }

    private func multiply(_ product: Product) {
        let (side, rows) = (product.layer.side, product.rows)
        // Where B is packed, oneDNN's fast product writes whole rows only.
        let rowSize = side.rowsPerTask(rowCount: rows.rowsPerGroup)
        let columnSize = side.strides == nil ? side.columns : Self.columnsPerPlainTask
        let rowBlocks = BlockSizes(count: rows.rowsPerGroup, size: rowSize)
        let columnBlocks = BlockSizes(count: side.columns, size: columnSize)
        let primitives = rowBlocks.sizes.map { rowCount in
            columnBlocks.sizes.map { cache.product(product.layer.shape(rowCount: rowCount, columns: $0)) }
        }
        let taskCount = rowBlocks.blockCount * columnBlocks.blockCount * rows.groupCount
        unsafe workers.run(taskCount) { task, context, _ in
            let columnBlock = task % columnBlocks.blockCount
            let rowBlock = task / columnBlocks.blockCount % rowBlocks.blockCount
            let group = task / (columnBlocks.blockCount * rowBlocks.blockCount)
            let primitive = primitives[rowBlocks.kind(of: rowBlock)][columnBlocks.kind(of: columnBlock)]
            unsafe run(
                product, primitive, context, group: group, row: rowBlock * rowSize,
                column: columnBlock * columnSize)
        }
    }

    /// The part of a product that begins at a row of a group and a column.
    private func run(
        _ product: Product, _ primitive: Primitive, _ context: OpaquePointer, group: Int, row: Int, column: Int
    ) {
        let (layer, rows) = (product.layer, product.rows)
        let inRows = row * layer.side.columns + column
        unsafe layer.run(
            primitive, context, x: product.x.pointer + group * rows.xStride + row * layer.side.inner,
            residual: layer.epilogue.residual.map { unsafe $0.pointer + group * rows.residualStride + inRows },
            y: product.y.pointer + rows.yOffset + group * rows.yStride + inRows, column: column)
    }
}

/// A layer as its product reads it: y = epilogue(x · B + bias).
struct LayerProduct {
    let side: RightSide
    var bias: Tensor?
    var epilogue = LinearEpilogue()

    func shape(rowCount: Int, columns: Int) -> MatmulShape {
        var shape = MatmulShape(
            rows: rowCount, inner: side.inner, columns: columns, aStrides: (side.inner, 1), bStrides: side.strides,
            cStride: side.columns)
        shape.residualStride = epilogue.residual == nil ? nil : side.columns
        shape.activation = epilogue.activation
        shape.hasBias = bias != nil
        shape.hasColumnScale = epilogue.columnScale != nil
        return shape
    }

    /// Computes rows of the columns from `column` on; `residual` and `y` point to the first of them.
    func run(
        _ primitive: Primitive, _ context: OpaquePointer, x: UnsafeMutablePointer<Float>,
        residual: UnsafeMutablePointer<Float>?, y: UnsafeMutablePointer<Float>, column: Int = 0
    ) {
        var arguments = unsafe vit_matmul_arguments()
        unsafe arguments.a = UnsafePointer(x)
        unsafe arguments.b = side.column(column)
        unsafe arguments.bias = bias.map { unsafe UnsafePointer($0.pointer + column) }
        unsafe arguments.column_scale = epilogue.columnScale.map { unsafe UnsafePointer($0.pointer + column) }
        unsafe arguments.residual = UnsafePointer(residual)
        unsafe arguments.c = y
        check(unsafe vit_matmul_run(primitive.pointer, context, &arguments), "linear")
    }
}
