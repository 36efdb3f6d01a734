import Testing

import Compute

/// Both layers of an MLP: few rows, which are computed layer by layer, and enough to go block by block, with a rest; what
/// lies between them as it comes, and so wide that its rows are moved apart.
@Suite struct MLPTests {
    private let inputs = 5
    private let hiddenWidth = 20

    @Test(arguments: [(3, 20), (70, 20), (400, 20), (70, 1024), (400, 1024)], [true, false])
    func forward(size: (rows: Int, hiddenWidth: Int), packed: Bool) {
        let (rows, hiddenWidth) = size
        for engine in engines {
            var numbers = Numbers(seed: 5)
            let x = numbers.values(rows * inputs)
            let (weight1, bias1) = (numbers.values(hiddenWidth * inputs), numbers.values(hiddenWidth))
            let (weight2, bias2) = (numbers.values(inputs * hiddenWidth), numbers.values(inputs))
            let residual = numbers.values(rows * inputs)
            func layer(_ weight: [Double], _ outputs: Int) -> LinearWeights {
                let matrix = Tensor(weight, shape: [outputs, weight.count / outputs])
                return packed ? engine.pack(matrix) : LinearWeights(inPlace: matrix)
            }
            let layers = MLPLayers(
                first: layer(weight1, hiddenWidth), firstBias: Tensor(bias1, shape: [hiddenWidth]), activation: .gelu,
                second: layer(weight2, inputs), secondBias: Tensor(bias2, shape: [inputs]))
            let before = Reference.linear(x, weight: weight1, bias: bias1, inputs: inputs)
            let branch = Reference.linear(Reference.gelu(before), weight: weight2, bias: bias2, inputs: hiddenWidth)
            let expected = zip(branch, residual).map { $0 + $1 }
            for kept in [Tensor.unwritten(rows, hiddenWidth), nil] {
                let y = Tensor.unwritten(rows, inputs)
                engine.mlp(
                    Tensor(x, shape: [rows, inputs]), layers, preActivation: kept,
                    hidden: .unwritten(rows, hiddenWidth),
                    epilogue: LinearEpilogue(residual: Tensor(residual, shape: [rows, inputs])), into: y)
                #expect(difference(y, expected) < 2e-6)
                if let kept { #expect(difference(kept, before) < 2e-6) }
            }
        }
    }

    @Test(arguments: [3, 70, 390])
    func inputGradient(rows: Int) {
        for engine in engines {
            var numbers = Numbers(seed: 6)
            let x = numbers.values(rows * inputs)
            let (weight1, bias1) = (numbers.values(hiddenWidth * inputs), numbers.values(hiddenWidth))
            let (weight2, bias2) = (numbers.values(inputs * hiddenWidth), numbers.values(inputs))
            let dy = numbers.values(rows * inputs)
            let before = Reference.linear(x, weight: weight1, bias: bias1, inputs: inputs)
            func second(_ before: [Double]) -> [Double] {
                Reference.linear(Reference.gelu(before), weight: weight2, bias: bias2, inputs: hiddenWidth)
            }
            let dx = Tensor.unwritten(rows, inputs)
            let dHidden = Tensor.unwritten(rows, hiddenWidth)
            engine.mlpInputGradient(
                Tensor(dy, shape: [rows, inputs]), firstWeight: Tensor(weight1, shape: [hiddenWidth, inputs]),
                secondWeight: Tensor(weight2, shape: [inputs, hiddenWidth]),
                preActivation: Tensor(before, shape: [rows, hiddenWidth]), .gelu, dHidden: dHidden, dx: dx)
            #expect(difference(dHidden, numericGradient(of: before, cotangent: dy, second)) < 1e-5)
            let expected = numericGradient(of: x, cotangent: dy) {
                second(Reference.linear($0, weight: weight1, bias: bias1, inputs: inputs))
            }
            #expect(difference(dx, expected) < 1e-5)
        }
    }

    /// With enough outputs that the input is packed or read in place, in parts, and the gradient turned or copied; several
    /// tasks and a rest.
    @Test(arguments: [(53, 12, 130), (20, 70, 64), (300, 32, 100), (20, 64, 1024)])
    func weightGradient(rows: Int, inputs: Int, outputs: Int) {
        for engine in engines {
            var numbers = Numbers(seed: 7)
            let x = numbers.values(rows * inputs)
            let dy = numbers.values(rows * outputs)
            let dWeight = Tensor([Double](repeating: 0.5, count: outputs * inputs), shape: [outputs, inputs])
            engine.linearWeightGradient(
                Tensor(dy, shape: [rows, outputs]), x: Tensor(x, shape: [rows, inputs]), dWeight: dWeight, dBias: nil)
            var expected = [Double](repeating: 0.5, count: outputs * inputs)
            for row in 0..<rows {
                for output in 0..<outputs {
                    for input in 0..<inputs {
                        expected[output * inputs + input] += dy[row * outputs + output] * x[row * inputs + input]
                    }
                }
            }
            #expect(difference(dWeight, expected) < 2e-6)
        }
    }
}
