import Testing

import Compute

@Suite struct PointwiseTests {
    let engine = CPUEngine(threadCount: 2)

    @Test(arguments: [(1, 8), (5, 24), (300, 192), (3, 33)], [Float(1e-6), 1e-12])
    func layerNorm(shape: (rows: Int, width: Int), epsilon: Float) {
        var numbers = Numbers(seed: 5)
        let x = numbers.values(shape.rows * shape.width)
        let scale = numbers.values(shape.width)
        let shift = numbers.values(shape.width)
        let y = Tensor.unwritten(shape.rows, shape.width)
        engine.layerNorm(
            Tensor(x, shape: [shape.rows, shape.width]), scale: Tensor(scale, shape: [shape.width]),
            shift: Tensor(shift, shape: [shape.width]), epsilon: epsilon, into: y, mean: .unwritten(shape.rows),
            variance: .unwritten(shape.rows))
        #expect(difference(y, Reference.layerNorm(x, scale: scale, shift: shift, epsilon: Double(epsilon))) < 2e-6)
    }

    @Test(arguments: [(1, 8), (5, 24), (9, 33)], [true, false])
    func layerNormBackward(shape: (rows: Int, width: Int), hasResidual: Bool) {
        var numbers = Numbers(seed: 6)
        let x = numbers.values(shape.rows * shape.width)
        let scale = numbers.values(shape.width)
        let shift = numbers.values(shape.width)
        let dy = numbers.values(shape.rows * shape.width)
        let residual = numbers.values(shape.rows * shape.width)
        func matrix(_ values: [Double]) -> Tensor { Tensor(values, shape: [shape.rows, shape.width]) }
        let (mean, variance) = (Tensor.unwritten(shape.rows), Tensor.unwritten(shape.rows))
        engine.layerNorm(
            matrix(x), scale: Tensor(scale, shape: [shape.width]), shift: Tensor(shift, shape: [shape.width]),
            epsilon: 1e-6, into: .unwritten(shape.rows, shape.width), mean: mean, variance: variance)
        let dx = Tensor.unwritten(shape.rows, shape.width)
        let dScale = Tensor([Double](repeating: 0.5, count: shape.width), shape: [shape.width])
        let dShift = Tensor([Double](repeating: 0.5, count: shape.width), shape: [shape.width])
        engine.layerNormBackward(
            matrix(dy), x: matrix(x), scale: Tensor(scale, shape: [shape.width]), epsilon: 1e-6, mean: mean,
            variance: variance, residual: hasResidual ? matrix(residual) : nil, dx: dx, dScale: dScale, dShift: dShift)
        let expectedX = numericGradient(of: x, cotangent: dy) {
            Reference.layerNorm($0, scale: scale, shift: shift, epsilon: 1e-6)
        }
        let expectedScale = numericGradient(of: scale, cotangent: dy) {
            Reference.layerNorm(x, scale: $0, shift: shift, epsilon: 1e-6)
        }
        let expectedShift = numericGradient(of: shift, cotangent: dy) {
            Reference.layerNorm(x, scale: scale, shift: $0, epsilon: 1e-6)
        }
        #expect(difference(dx, zip(expectedX, residual).map { $0 + (hasResidual ? $1 : 0) }) < 1e-5)
        #expect(difference(dScale, expectedScale.map { $0 + 0.5 }) < 1e-5)
        #expect(difference(dShift, expectedShift.map { $0 + 0.5 }) < 1e-5)
        // The result may take the place of what is added.
        let place = matrix(residual)
        engine.layerNormBackward(
            matrix(dy), x: matrix(x), scale: Tensor(scale, shape: [shape.width]), epsilon: 1e-6, mean: mean,
            variance: variance, residual: hasResidual ? place : nil, dx: place, dScale: dScale, dShift: dShift)
        #expect(place.values == dx.values)
    }

    @Test(arguments: [Activation.gelu, .geluTanh])
    func activations(activation: Activation) {
        var numbers = Numbers(seed: 7)
        let x = numbers.values(70_000).map { $0 * 6 }
        let function = activation == .gelu ? Reference.gelu : Reference.geluTanh
        let y = Tensor.unwritten(x.count)
        engine.activate(Tensor(x, shape: [x.count]), activation, into: y)
        #expect(difference(y, function(x)) < 2e-6)

        let dy = numbers.values(x.count)
        let dx = Tensor.unwritten(x.count)
        engine.activateBackward(
            Tensor(dy, shape: [x.count]), x: Tensor(x, shape: [x.count]), activation, dx: dx)
        let above = function(x.map { $0 + 1e-5 })
        let below = function(x.map { $0 - 1e-5 })
        #expect(difference(dx, x.indices.map { (above[$0] - below[$0]) / 2e-5 * dy[$0] }) < 1e-5)
    }
}
