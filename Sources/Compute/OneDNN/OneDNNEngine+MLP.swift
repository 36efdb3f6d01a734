import COneDNN

/// Both layers of an MLP are computed for a block of rows before the next one begins: what lies between them, four times
/// as long as a row of tokens, stays in the core's own cache.
extension OneDNNEngine {
    package func mlp(
        _ x: Tensor, _ layers: MLPLayers, preActivation: Tensor?, hidden: Tensor, epilogue: LinearEpilogue,
        into y: Tensor
    ) {
        let rowCount = x.count / layers.first.inputs
        guard rowCount >= Self.rowsWorthPacking else {
            return mlpOfFewRows(
                x, layers, preActivation: preActivation, hidden: hidden, epilogue: epilogue, into: y)
        }
        let middle = preActivation == nil ? LinearEpilogue(activation: layers.activation) : LinearEpilogue()
        let first = LayerProduct(
            side: rightSide(layers.first, rowCount: rowCount), bias: layers.firstBias, epilogue: middle)
        let second = LayerProduct(
            side: rightSide(layers.second, rowCount: rowCount, room: secondPackedCopy), bias: layers.secondBias,
            epilogue: epilogue)
        let (inputs, hiddenWidth, outputs) = (layers.first.inputs, layers.first.outputs, layers.second.outputs)
        let size = first.side.rowsPerTask(rowCount: rowCount)
        let primitives = MLPPrimitives(rowCount: rowCount, size: size, cache: cache) {
            (
                first.shape(rowCount: $0, columns: hiddenWidth), second.shape(rowCount: $0, columns: outputs),
                (count: $0 * hiddenWidth, activation: layers.activation, backward: false)
            )
        }
        unsafe forBlocks(of: size, in: rowCount) { rows, context, worker in
            let (one, two, activate) = primitives[rows.count]
            let row = rows.lowerBound
            let activated = unsafe workers.scratch(of: worker, floatCount: size * hiddenWidth)
            if let preActivation {
                let before = unsafe preActivation.pointer + row * hiddenWidth
                unsafe first.run(one, context, x: x.pointer + row * inputs, residual: nil, y: before)
                check(unsafe vit_pointwise_run(activate.pointer, context, before, activated), "mlp")
            } else {
                unsafe first.run(one, context, x: x.pointer + row * inputs, residual: nil, y: activated)
            }
            unsafe second.run(
                two, context, x: activated, residual: epilogue.residual.map { unsafe $0.pointer + row * outputs },
                y: y.pointer + row * outputs)
        }
    }

    /// The same in three operations, each of which divides the columns among the threads.
    private func mlpOfFewRows(
        _ x: Tensor, _ layers: MLPLayers, preActivation: Tensor?, hidden: Tensor, epilogue: LinearEpilogue,
        into y: Tensor
    ) {
        if let preActivation {
            linear(x, layers.first, bias: layers.firstBias, epilogue: LinearEpilogue(), into: preActivation)
            activate(preActivation, layers.activation, into: hidden)
        } else {
            linear(
                x, layers.first, bias: layers.firstBias, epilogue: LinearEpilogue(activation: layers.activation),
                into: hidden)
        }
        linear(hidden, layers.second, bias: layers.secondBias, epilogue: epilogue, into: y)
    }

    package func mlpInputGradient(
        _ dy: Tensor, firstWeight: Tensor, secondWeight: Tensor, preActivation: Tensor, _ activation: Activation,
        dHidden: Tensor, dx: Tensor
    ) {
        let (hiddenWidth, inputs) = (firstWeight.shape[0], firstWeight.shape[1])
        let outputs = secondWeight.shape[0]
        let rowCount = dy.count / outputs
        guard rowCount >= Self.rowsWorthPacking else {
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
        let size = first.side.rowsPerTask(rowCount: rowCount)
        let primitives = MLPPrimitives(rowCount: rowCount, size: size, cache: cache) {
            (
                second.shape(rowCount: $0, columns: hiddenWidth), first.shape(rowCount: $0, columns: inputs),
                (count: $0 * hiddenWidth, activation: activation, backward: true)
            )
        }
        unsafe forBlocks(of: size, in: rowCount) { rows, context, _ in
            let (two, one, activate) = primitives[rows.count]
            let row = rows.lowerBound
            let gradient = unsafe dHidden.pointer + row * hiddenWidth
            unsafe second.run(two, context, x: dy.pointer + row * outputs, residual: nil, y: gradient)
            let status = unsafe vit_pointwise_backward_run(
                activate.pointer, context, preActivation.pointer + row * hiddenWidth, gradient, gradient)
            check(status, "mlpBackward")
            unsafe first.run(one, context, x: gradient, residual: nil, y: dx.pointer + row * inputs)
        }
    }
}

/// The steps of an MLP for a whole block of rows, and for the rest.
private struct MLPPrimitives {
    private let size: Int
    private let whole: (Primitive, Primitive, Primitive)
    private let rest: (Primitive, Primitive, Primitive)

    init(
        rowCount: Int, size: Int, cache: PrimitiveCache,
        shapes: (Int) -> (MatmulShape, MatmulShape, (count: Int, activation: Activation, backward: Bool))
    ) {
        func primitives(_ rowCount: Int) -> (Primitive, Primitive, Primitive) {
            let (first, second, middle) = shapes(rowCount)
            return (
                cache.product(first), cache.product(second),
                cache.activation(count: middle.count, middle.activation, backward: middle.backward)
            )
        }
        self.size = size
        whole = primitives(min(size, rowCount))
        rest = rowCount % size == 0 ? whole : primitives(rowCount % size)
    }

    subscript(rowCount: Int) -> (Primitive, Primitive, Primitive) { rowCount == size ? whole : rest }
}
