import COneDNN

/// Both layers of an MLP are computed for a block of rows before the next one begins: what lies between them, four times
/// as long as a row of tokens, stays in the core's own cache.
extension CPUEngine {
    /// Rows from which on their blocks keep several threads at work; fewer go layer by layer.
    private var rowsWorthFusing: Int { panels != nil ? Panels.manyRows : Self.rowsWorthPacking }

    package func mlp(
        _ x: Tensor, _ layers: MLPLayers, preActivation: Tensor?, hidden: Tensor, epilogue: LinearEpilogue,
        into y: Tensor
    ) {
        let rowCount = x.count / layers.first.inputs
        guard rowCount >= rowsWorthFusing else {
            return mlpOfFewRows(
                x, layers, preActivation: preActivation, hidden: hidden, epilogue: epilogue, into: y)
        }
        let (inputs, hiddenWidth, outputs) = (layers.first.inputs, layers.first.outputs, layers.second.outputs)
        var first = LayerProduct(side: rightSide(layers.first.onCPU, rowCount: rowCount), bias: layers.firstBias)
        let second = secondLayer(layers, rowCount: rowCount, epilogue)
        let stride = second.xStrides?.0 ?? hiddenWidth
        let firstStride = preActivation == nil ? stride : hiddenWidth
        first.yStride = firstStride
        let blocks = first.side.rowBlocks(rowCount: rowCount)
        let size = blocks.largest
        let workspaceCount = max(first.workspaceCount(rowCount: size), second.workspaceCount(rowCount: size))
        unsafe workers.run(blocks.blockCount) { block, context, worker in
            let rows = blocks[block]
            let row = rows.lowerBound
            let activated = unsafe workers.scratch(of: worker, floatCount: size * stride + workspaceCount)
            let workspace = unsafe activated + size * stride
            let before = unsafe preActivation.map { unsafe $0.pointer + row * hiddenWidth } ?? activated
            unsafe first.run(
                rowCount: rows.count, columns: 0..<hiddenWidth, cache: cache, context, workspace: workspace,
                x: x.pointer + row * inputs, y: before)
            unsafe layers.activation.applyRows(
                before, stride: firstStride, rowCount: rows.count, width: hiddenWidth, into: activated, stride: stride)
            unsafe second.run(
                rowCount: rows.count, columns: 0..<outputs, cache: cache, context, workspace: workspace, x: activated,
                residual: epilogue.residual.map { unsafe $0.pointer + row * outputs }, y: y.pointer + row * outputs)
        }
    }

    /// The layer that reads what lies between: rows moved apart where they would drive each other out of the caches.
    private func secondLayer(_ layers: MLPLayers, rowCount: Int, _ epilogue: LinearEpilogue) -> LayerProduct {
        var layer = LayerProduct(
            side: rightSide(layers.second.onCPU, rowCount: rowCount, workspace: secondPackedCopy),
            bias: layers.secondBias,
            epilogue: epilogue)
        if layer.side.panels != nil { layer.xStrides = (Panels.rowStride(width: layers.second.inputs), 1) }
        return layer
    }

    /// The same in two operations, each of which divides the columns among the threads.
    private func mlpOfFewRows(
        _ x: Tensor, _ layers: MLPLayers, preActivation: Tensor?, hidden: Tensor, epilogue: LinearEpilogue,
        into y: Tensor
    ) {
        let rows = RowGroups(rowCount: x.count / layers.first.inputs)
        let width = layers.first.outputs
        let second = secondLayer(layers, rowCount: rows.rowsPerGroup, epilogue)
        let stride = second.xStrides?.0 ?? width
        let activated =
            unsafe stride > width ? spacedCopy.floats(rows.rowsPerGroup * stride) : hidden.pointer
        let before = unsafe preActivation?.pointer ?? activated
        var first = LayerProduct(
            side: rightSide(layers.first.onCPU, rowCount: rows.rowsPerGroup), bias: layers.firstBias)
        first.yStride = preActivation == nil ? stride : width
        let firstStride = first.yStride ?? width
        unsafe multiply(
            Product(layer: first, x: x.pointer, y: before, rows: rows) { rows, columns in
                unsafe layers.activation.applyRows(
                    before + rows.lowerBound * firstStride + columns.lowerBound, stride: firstStride,
                    rowCount: rows.count, width: columns.count,
                    into: activated + rows.lowerBound * stride + columns.lowerBound, stride: stride)
            })
        unsafe multiply(Product(layer: second, x: activated, y: y.pointer, rows: rows))
    }

    package func mlpInputGradient(
        _ dy: Tensor, _ layers: MLPLayers, preActivation: Tensor, dHidden: Tensor, dx: Tensor
    ) {
        let (firstWeight, secondWeight) = (layers.first.onCPU.matrix, layers.second.onCPU.matrix)
        let (hiddenWidth, inputs) = (firstWeight.shape[0], firstWeight.shape[1])
        let outputs = secondWeight.shape[0]
        let rowCount = dy.count / outputs
        guard rowCount >= rowsWorthFusing else {
            linearInputGradient(dy, layers.second, dx: dHidden)
            activateBackward(dHidden, x: preActivation, layers.activation, dx: dHidden)
            return linearInputGradient(dHidden, layers.first, dx: dx)
        }
        let second = LayerProduct(
            side: unsafe rightSide(
                secondWeight.pointer, strides: (hiddenWidth, 1), inner: outputs, columns: hiddenWidth,
                rowCount: rowCount, workspace: secondPackedCopy))
        let first = LayerProduct(
            side: unsafe rightSide(
                firstWeight.pointer, strides: (inputs, 1), inner: hiddenWidth, columns: inputs, rowCount: rowCount))
        let blocks = first.side.rowBlocks(rowCount: rowCount)
        let workspaceCount = max(
            first.workspaceCount(rowCount: blocks.largest), second.workspaceCount(rowCount: blocks.largest))
        unsafe workers.run(blocks.blockCount) { block, context, worker in
            let rows = blocks[block]
            let row = rows.lowerBound
            let gradient = unsafe dHidden.pointer + row * hiddenWidth
            let workspace = unsafe workers.scratch(of: worker, floatCount: workspaceCount)
            unsafe second.run(
                rowCount: rows.count, columns: 0..<hiddenWidth, cache: cache, context, workspace: workspace,
                x: dy.pointer + row * outputs, y: gradient)
            unsafe layers.activation.applyBackward(
                preActivation.pointer + row * hiddenWidth, gradient, rows.count * hiddenWidth, into: gradient)
            unsafe first.run(
                rowCount: rows.count, columns: 0..<inputs, cache: cache, context, workspace: workspace, x: gradient,
                y: dx.pointer + row * inputs)
        }
    }
}
