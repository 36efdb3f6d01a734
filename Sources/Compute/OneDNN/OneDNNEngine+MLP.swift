import COneDNN

/// Both layers of an MLP are computed for a block of rows before the next one begins: what lies between them, four times
/// as long as a row of tokens, stays in the core's own cache.
extension OneDNNEngine {
    /// Rows from which on their blocks keep several threads at work; fewer go layer by layer.
    private var rowsWorthFusing: Int { hasPanels ? Panels.manyRows : Self.rowsWorthPacking }

    package func mlp(
        _ x: Tensor, _ layers: MLPLayers, preActivation: Tensor?, hidden: Tensor, epilogue: LinearEpilogue,
        into y: Tensor
    ) {
        let rowCount = x.count / layers.first.inputs
        guard rowCount >= rowsWorthFusing else {
            return mlpOfFewRows(
                x, layers, preActivation: preActivation, hidden: hidden, epilogue: epilogue, into: y)
        }
        let first = LayerProduct(side: rightSide(layers.first, rowCount: rowCount), bias: layers.firstBias)
        let second = LayerProduct(
            side: rightSide(layers.second, rowCount: rowCount, room: secondPackedCopy), bias: layers.secondBias,
            epilogue: epilogue)
        let (inputs, hiddenWidth, outputs) = (layers.first.inputs, layers.first.outputs, layers.second.outputs)
        let size = rowsPerBlock(first, rowCount: rowCount)
        let roomCount = max(first.roomCount(rowCount: size), second.roomCount(rowCount: size))
        unsafe forBlocks(of: size, in: rowCount) { rows, context, worker in
            let row = rows.lowerBound
            let activated = unsafe workers.scratch(of: worker, floatCount: size * hiddenWidth + roomCount)
            let room = unsafe activated + size * hiddenWidth
            let before = unsafe preActivation.map { unsafe $0.pointer + row * hiddenWidth } ?? activated
            unsafe first.run(
                rowCount: rows.count, columns: 0..<hiddenWidth, cache: cache, context, room: room,
                x: x.pointer + row * inputs, y: before)
            unsafe layers.activation.apply(before, rows.count * hiddenWidth, into: activated)
            unsafe second.run(
                rowCount: rows.count, columns: 0..<outputs, cache: cache, context, room: room, x: activated,
                residual: epilogue.residual.map { unsafe $0.pointer + row * outputs }, y: y.pointer + row * outputs)
        }
    }

    /// Rows that go through both layers before the next ones do.
    private func rowsPerBlock(_ layer: LayerProduct, rowCount: Int) -> Int {
        switch layer.side.layout {
        case .inPlace: Self.rowsPerPlainTask
        case .packed, .panels: Self.rowsPerTask(rowCount: rowCount)
        }
    }

    /// The same in three operations, each of which divides the columns among the threads.
    private func mlpOfFewRows(
        _ x: Tensor, _ layers: MLPLayers, preActivation: Tensor?, hidden: Tensor, epilogue: LinearEpilogue,
        into y: Tensor
    ) {
        let before = preActivation ?? hidden
        linear(x, layers.first, bias: layers.firstBias, epilogue: LinearEpilogue(), into: before)
        activate(before, layers.activation, into: hidden)
        linear(hidden, layers.second, bias: layers.secondBias, epilogue: epilogue, into: y)
    }

    package func mlpInputGradient(
        _ dy: Tensor, firstWeight: Tensor, secondWeight: Tensor, preActivation: Tensor, _ activation: Activation,
        dHidden: Tensor, dx: Tensor
    ) {
        let (hiddenWidth, inputs) = (firstWeight.shape[0], firstWeight.shape[1])
        let outputs = secondWeight.shape[0]
        let rowCount = dy.count / outputs
        guard rowCount >= rowsWorthFusing else {
            linearInputGradient(dy, weight: secondWeight, dx: dHidden)
            activateBackward(dHidden, x: preActivation, activation, dx: dHidden)
            return linearInputGradient(dHidden, weight: firstWeight, dx: dx)
        }
        let second = LayerProduct(
            side: unsafe rightSide(
                secondWeight.pointer, strides: (hiddenWidth, 1), inner: outputs, columns: hiddenWidth,
                rowCount: rowCount, room: secondPackedCopy))
        let first = LayerProduct(
            side: unsafe rightSide(
                firstWeight.pointer, strides: (inputs, 1), inner: hiddenWidth, columns: inputs, rowCount: rowCount))
        let size = rowsPerBlock(first, rowCount: rowCount)
        let roomCount = max(first.roomCount(rowCount: size), second.roomCount(rowCount: size))
        unsafe forBlocks(of: size, in: rowCount) { rows, context, worker in
            let row = rows.lowerBound
            let gradient = unsafe dHidden.pointer + row * hiddenWidth
            let room = unsafe workers.scratch(of: worker, floatCount: roomCount)
            unsafe second.run(
                rowCount: rows.count, columns: 0..<hiddenWidth, cache: cache, context, room: room,
                x: dy.pointer + row * outputs, y: gradient)
            unsafe activation.applyBackward(
                preActivation.pointer + row * hiddenWidth, gradient, rows.count * hiddenWidth, into: gradient)
            unsafe first.run(
                rowCount: rows.count, columns: 0..<inputs, cache: cache, context, room: room, x: gradient,
                y: dx.pointer + row * inputs)
        }
    }
}
