import Testing

import Compute

/// Rows, inputs and outputs: within a task, across tasks, with remainders, and no multiple of a vector; many rows, many
/// inputs, and inputs by which rows lie so that they drive each other out of a cache.
let linearShapes = [
    (1, 5, 3), (7, 16, 24), (48, 32, 48), (100, 33, 17), (230, 24, 101), (400, 40, 70), (30, 1030, 40), (13, 1024, 130),
]

@Suite struct LinearTests {
    @Test(arguments: linearShapes, [true, false])
    func forward(shape: (rows: Int, inputs: Int, outputs: Int), packed: Bool) {
        for engine in engines {
            var numbers = Numbers(seed: 1)
            let x = numbers.values(shape.rows * shape.inputs)
            let weight = numbers.values(shape.outputs * shape.inputs)
            let bias = numbers.values(shape.outputs)
            let scale = numbers.values(shape.outputs)
            let residual = numbers.values(shape.rows * shape.outputs)
            let matrix = Tensor(weight, shape: [shape.outputs, shape.inputs])
            let weights = packed ? engine.pack(matrix) : LinearWeights(inPlace: matrix)
            let plain = Reference.linear(x, weight: weight, bias: bias, inputs: shape.inputs)
            let cases: [(LinearEpilogue, [Double])] = [
                (LinearEpilogue(), plain),
                (
                    LinearEpilogue(
                        columnScale: Tensor(scale, shape: [shape.outputs]),
                        residual: Tensor(residual, shape: [shape.rows, shape.outputs])),
                    plain.indices.map { residual[$0] + scale[$0 % shape.outputs] * plain[$0] }
                ),
            ]
            for (epilogue, expected) in cases {
                let y = Tensor.unwritten(shape.rows, shape.outputs)
                engine.linear(
                    Tensor(x, shape: [shape.rows, shape.inputs]), weights, bias: Tensor(bias, shape: [shape.outputs]),
                    epilogue: epilogue, into: y)
                #expect(difference(y, expected) < 2e-6)
            }
        }
    }

    @Test(arguments: linearShapes)
    func withoutBias(shape: (rows: Int, inputs: Int, outputs: Int)) {
        for engine in engines {
            var numbers = Numbers(seed: 2)
            let x = numbers.values(shape.rows * shape.inputs)
            let weight = numbers.values(shape.outputs * shape.inputs)
            let y = Tensor.unwritten(shape.rows, shape.outputs)
            engine.linear(
                Tensor(x, shape: [shape.rows, shape.inputs]),
                engine.pack(Tensor(weight, shape: [shape.outputs, shape.inputs])), bias: nil,
                epilogue: LinearEpilogue(),
                into: y)
            let zeros = [Double](repeating: 0, count: shape.outputs)
            #expect(difference(y, Reference.linear(x, weight: weight, bias: zeros, inputs: shape.inputs)) < 2e-6)
        }
    }

    /// Weights read in place for few rows and for many, packed for more, and packed since their rows drive each other out
    /// of a cache.
    @Test(arguments: [(20, 64, 40), (400, 96, 33), (2100, 32, 9), (70, 1024, 10)])
    func inputGradient(rows: Int, inputs: Int, outputs: Int) {
        for engine in engines {
            var numbers = Numbers(seed: 8)
            let dy = numbers.values(rows * outputs)
            let weight = numbers.values(outputs * inputs)
            let dx = Tensor.unwritten(rows, inputs)
            engine.linearInputGradient(
                Tensor(dy, shape: [rows, outputs]), weight: Tensor(weight, shape: [outputs, inputs]), dx: dx)
            let turned = weight.indices.map { weight[$0 % outputs * inputs + $0 / outputs] }
            let expected = Reference.linear(
                dy, weight: turned, bias: [Double](repeating: 0, count: inputs), inputs: outputs)
            #expect(difference(dx, expected) < 2e-6)
        }
    }

    @Test(arguments: [(1, 5, 3), (7, 16, 24), (100, 33, 17), (53, 12, 130)])
    func backward(shape: (rows: Int, inputs: Int, outputs: Int)) {
        for engine in engines {
            var numbers = Numbers(seed: 3)
            let x = numbers.values(shape.rows * shape.inputs)
            let weight = numbers.values(shape.outputs * shape.inputs)
            let bias = numbers.values(shape.outputs)
            let dy = numbers.values(shape.rows * shape.outputs)
            let before = numbers.next()
            let dx = Tensor.unwritten(shape.rows, shape.inputs)
            let dWeight = Tensor(
                [Double](repeating: before, count: weight.count), shape: [shape.outputs, shape.inputs])
            let dBias = Tensor([Double](repeating: before, count: bias.count), shape: [shape.outputs])
            let dyTensor = Tensor(dy, shape: [shape.rows, shape.outputs])
            engine.linearInputGradient(
                dyTensor, weight: Tensor(weight, shape: [shape.outputs, shape.inputs]), dx: dx)
            engine.linearWeightGradient(
                dyTensor, x: Tensor(x, shape: [shape.rows, shape.inputs]), dWeight: dWeight, dBias: dBias)
            func check(_ got: Tensor, _ value: [Double], offset: Double, _ f: ([Double]) -> [Double]) {
                let expected = numericGradient(of: value, cotangent: dy, f).map { $0 + offset }
                #expect(difference(got, expected) < 1e-5)
            }
            check(dx, x, offset: 0) { Reference.linear($0, weight: weight, bias: bias, inputs: shape.inputs) }
            if shape.outputs * shape.inputs < 600 {
                check(dWeight, weight, offset: before) {
                    Reference.linear(x, weight: $0, bias: bias, inputs: shape.inputs)
                }
            }
            check(dBias, bias, offset: before) { Reference.linear(x, weight: weight, bias: $0, inputs: shape.inputs) }
        }
    }

    @Test func embedPatchesLeavesThePrefixAlone() {
        for engine in engines {
            var numbers = Numbers(seed: 4)
            let (images, patches, length, width, prefix) = (3, 50, 12, 8, 2)
            let rows = numbers.values(images * patches * length)
            let weight = numbers.values(width * length)
            let bias = numbers.values(width)
            let positions = numbers.values(patches * width)
            let tokens = Tensor(
                [Double](repeating: 7, count: images * (prefix + patches) * width),
                shape: [images, prefix + patches, width])
            engine.embedPatches(
                Tensor(rows, shape: [images, patches, length]), engine.pack(Tensor(weight, shape: [width, length])),
                bias: Tensor(bias, shape: [width]), positions: Tensor(positions, shape: [patches, width]),
                prefix: prefix,
                into: tokens)
            let plain = Reference.linear(rows, weight: weight, bias: bias, inputs: length)
            var expected: [Double] = []
            for image in 0..<images {
                expected += [Double](repeating: 7, count: prefix * width)
                for i in 0..<patches * width { expected.append(plain[image * patches * width + i] + positions[i]) }
            }
            #expect(difference(tokens, expected) < 2e-6)
        }
    }
}
