/// Both layers of an MLP are computed for a block of rows before the next block begins: the hidden rows, four times as long as
/// a row of tokens, stay in the core's own cache. Too few rows for that go layer by layer, on all threads.
extension CPUEngine {
    package func mlp(
        _ x: Tensor, _ layers: MLPLayers, preActivation: Tensor?, hidden: Tensor, epilogue: LinearEpilogue,
        into y: Tensor
    ) {
        let rowCount = x.count / layers.first.inputs
        guard rowCount >= GemmKernel.manyRows else {
            return mlpOfFewRows(
                x, layers, preActivation: preActivation, hidden: hidden, epilogue: epilogue, into: y)
        }
        let (inputs, hiddenWidth, outputs) = (layers.first.inputs, layers.first.outputs, layers.second.outputs)
        var first = LayerGemm(b: rightOperand(layers.first.onCPU, rowCount: rowCount), bias: layers.firstBias)
        let stride = GemmKernel.rowStride(width: hiddenWidth)
        let second = secondLayer(layers, rowCount: rowCount, hiddenStride: stride, epilogue)
        let keepsInPlace = preActivation?.type == .float32
        let firstStride = keepsInPlace ? hiddenWidth : stride
        first.yStride = firstStride
        let blocks = first.b.rowBlocks(rowCount: rowCount)
        let size = blocks.largest
        let workspaceCount = max(first.workspaceCount(rowCount: size), second.workspaceCount(rowCount: size))
        workers.run(blocks.blockCount) { block, worker in
            let rows = blocks[block]
            let row = rows.lowerBound
            let activated = unsafe scratch(of: worker, floatCount: size * stride + workspaceCount)
            let workspace = unsafe activated + size * stride
            let kept = preActivation.map { $0.elements + row * hiddenWidth }
            let before = unsafe keepsInPlace ? kept?.floats ?? activated : activated
            unsafe first.run(
                rowCount: rows.count, columns: 0..<hiddenWidth, x: x.pointer + row * inputs, y: before,
                workspace: workspace)
            if !keepsInPlace, let kept {
                unsafe kept.assignRows(
                    rounding: activated, stride: stride, rowCount: rows.count, width: hiddenWidth,
                    rowStride: hiddenWidth)
            }
            unsafe layers.activation.applyRows(
                before, stride: firstStride, rowCount: rows.count, width: hiddenWidth, into: activated, stride: stride)
            unsafe second.run(
                rowCount: rows.count, columns: 0..<outputs, x: activated,
                residual: epilogue.residual.map { unsafe $0.pointer + row * outputs }, y: y.pointer + row * outputs,
                workspace: workspace)
        }
    }

    private func secondLayer(
        _ layers: MLPLayers, rowCount: Int, hiddenStride: Int, _ epilogue: LinearEpilogue
    ) -> LayerGemm {
        LayerGemm(
            b: rightOperand(layers.second.onCPU, rowCount: rowCount, packedIn: secondPackedOperand),
            bias: layers.secondBias,
            epilogue: epilogue, xStrides: (hiddenStride, 1))
    }

    private func mlpOfFewRows(
        _ x: Tensor, _ layers: MLPLayers, preActivation: Tensor?, hidden: Tensor, epilogue: LinearEpilogue,
        into y: Tensor
    ) {
        let rowCount = x.count / layers.first.inputs
        let width = layers.first.outputs
        let stride = GemmKernel.rowStride(width: width)
        let second = secondLayer(layers, rowCount: rowCount, hiddenStride: stride, epilogue)
        let activated = unsafe stride > width ? spacedRows.floats(rowCount * stride) : hidden.pointer
        let keepsInPlace = preActivation?.type == .float32
        let before = unsafe keepsInPlace ? preActivation?.pointer ?? activated : activated
        let firstStride = keepsInPlace ? width : stride
        let first = LayerGemm(
            b: rightOperand(layers.first.onCPU, rowCount: rowCount), bias: layers.firstBias, yStride: firstStride)
        let rows = RowGroups(rowsPerGroup: rowCount)
        unsafe multiply(first, x.pointer, rows: rows, into: Elements(before)) { rows, columns in
            if !keepsInPlace, let preActivation {
                unsafe (preActivation.elements + (rows.lowerBound * width + columns.lowerBound)).assignRows(
                    rounding: before + rows.lowerBound * stride + columns.lowerBound, stride: stride,
                    rowCount: rows.count, width: columns.count, rowStride: width)
            }
            unsafe layers.activation.applyRows(
                before + rows.lowerBound * firstStride + columns.lowerBound, stride: firstStride,
                rowCount: rows.count, width: columns.count,
                into: activated + rows.lowerBound * stride + columns.lowerBound, stride: stride)
        }
        unsafe multiply(second, activated, rows: rows, into: y.elements)
    }
}

// MARK: - Backward

extension CPUEngine {
    package func mlpInputGradient(
        _ dy: Tensor, _ layers: MLPLayers, preActivation: Tensor, dHidden: Tensor, dx: Tensor
    ) {
        let (firstWeight, secondWeight) = (layers.first.onCPU.matrix, layers.second.onCPU.matrix)
        let (hiddenWidth, inputs) = (firstWeight.shape[0], firstWeight.shape[1])
        let outputs = secondWeight.shape[0]
        let rowCount = dy.count / outputs
        let kernel = layers.first.onCPU.kernel
        guard rowCount >= GemmKernel.manyRows else {
            linearInputGradient(dy, layers.second, dx: dHidden)
            activateBackward(dHidden, x: preActivation, layers.activation, dx: dHidden)
            return linearInputGradient(dHidden, layers.first, dx: dx)
        }
        let second = LayerGemm(
            b: unsafe rightOperand(
                secondWeight.pointer, strides: (hiddenWidth, 1), k: outputs, n: hiddenWidth, rowCount: rowCount,
                kernel, packedIn: secondPackedOperand))
        let first = LayerGemm(
            b: unsafe rightOperand(
                firstWeight.pointer, strides: (inputs, 1), k: hiddenWidth, n: inputs, rowCount: rowCount, kernel))
        let blocks = first.b.rowBlocks(rowCount: rowCount)
        let workspaceCount = max(
            first.workspaceCount(rowCount: blocks.largest), second.workspaceCount(rowCount: blocks.largest),
            Activation.workspaceCount)
        workers.run(blocks.blockCount) { block, worker in
            let rows = blocks[block]
            let row = rows.lowerBound
            let gradient = unsafe dHidden.pointer + row * hiddenWidth
            let workspace = unsafe scratch(of: worker, floatCount: workspaceCount)
            unsafe second.run(
                rowCount: rows.count, columns: 0..<hiddenWidth, x: dy.pointer + row * outputs, y: gradient,
                workspace: workspace)
            unsafe layers.activation.applyBackward(
                preActivation.elements + row * hiddenWidth, gradient, rows.count * hiddenWidth, into: gradient,
                workspace: workspace)
            unsafe first.run(
                rowCount: rows.count, columns: 0..<inputs, x: gradient, y: dx.pointer + row * inputs,
                workspace: workspace)
        }
    }
}
