import Compute
import Foundation
import ReferenceEngine
import Testing

/// The reference engine's forward and backward operations, held to their definitions and to finite differences in double.
@Suite struct GradientTests {
    private let engine = ReferenceEngine()

    private func weights(_ values: [Double], _ shape: [Int]) -> any LinearWeights {
        engine.linearWeights(Tensor(values, shape: shape), precision: .float32, changes: true)
    }

    @Test(arguments: [(1, 5, 3), (7, 6, 4), (3, 2, 9)])
    func linear(rows: Int, inputs: Int, outputs: Int) {
        var numbers = Numbers(seed: 3)
        let (x, weight) = (numbers.values(rows * inputs), numbers.values(outputs * inputs))
        let (bias, dy) = (numbers.values(outputs), numbers.values(rows * outputs))
        let y = Tensor.unwritten(rows, outputs)
        engine.linear(
            Tensor(x, shape: [rows, inputs]), weights(weight, [outputs, inputs]), bias: Tensor(bias, shape: [outputs]),
            epilogue: LinearEpilogue(), into: y)
        #expect(difference(y, Definition.linear(x, weight: weight, bias: bias, inputs: inputs)) < 1e-6)
        let dx = Tensor.unwritten(rows, inputs)
        let (dWeight, dBias) = (Tensor(shape: [outputs, inputs]), Tensor(shape: [outputs]))
        let d = Tensor(dy, shape: [rows, outputs])
        engine.linearInputGradient(d, weights(weight, [outputs, inputs]), dx: dx)
        engine.linearWeightGradient(
            d, x: Tensor(x, shape: [rows, inputs]), weights(weight, [outputs, inputs]), dWeight: dWeight, dBias: dBias)
        func check(_ got: Tensor, _ value: [Double], _ f: ([Double]) -> [Double]) {
            #expect(difference(got, numericGradient(of: value, cotangent: dy, f)) < 1e-5)
        }
        check(dx, x) { Definition.linear($0, weight: weight, bias: bias, inputs: inputs) }
        check(dWeight, weight) { Definition.linear(x, weight: $0, bias: bias, inputs: inputs) }
        check(dBias, bias) { Definition.linear(x, weight: weight, bias: $0, inputs: inputs) }
    }

    @Test(arguments: [(1, 8), (5, 24), (9, 33)])
    func layerNorm(rows: Int, width: Int) {
        var numbers = Numbers(seed: 6)
        let (x, dy) = (numbers.values(rows * width), numbers.values(rows * width))
        let (weight, bias) = (numbers.values(width), numbers.values(width))
        func matrix(_ values: [Double]) -> Tensor { Tensor(values, shape: [rows, width]) }
        let (y, mean, variance) = (Tensor.unwritten(rows, width), Tensor.unwritten(rows), Tensor.unwritten(rows))
        engine.layerNorm(
            matrix(x), weight: Tensor(weight, shape: [width]), bias: Tensor(bias, shape: [width]), epsilon: 1e-6,
            into: y,
            mean: mean, variance: variance)
        #expect(difference(y, Definition.layerNorm(x, weight: weight, bias: bias, epsilon: 1e-6)) < 1e-6)
        let (dx, dWeight, dBias) = (Tensor.unwritten(rows, width), Tensor(shape: [width]), Tensor(shape: [width]))
        engine.layerNormBackward(
            matrix(dy), x: matrix(x), weight: Tensor(weight, shape: [width]), epsilon: 1e-6, mean: mean,
            variance: variance, residual: nil, dx: dx, dWeight: dWeight, dBias: dBias)
        func check(_ got: Tensor, _ value: [Double], _ f: ([Double]) -> [Double]) {
            #expect(difference(got, numericGradient(of: value, cotangent: dy, f)) < 1e-5)
        }
        check(dx, x) { Definition.layerNorm($0, weight: weight, bias: bias, epsilon: 1e-6) }
        check(dWeight, weight) { Definition.layerNorm(x, weight: $0, bias: bias, epsilon: 1e-6) }
        check(dBias, bias) { Definition.layerNorm(x, weight: weight, bias: $0, epsilon: 1e-6) }
    }

    @Test(arguments: [Activation.gelu, .geluTanh, .quickGELU])
    func activations(activation: Activation) {
        var numbers = Numbers(seed: 7)
        let x = numbers.values(2000).map { $0 * 6 }
        let dy = numbers.values(x.count)
        let function =
            switch activation {
            case .gelu: Definition.gelu
            case .geluTanh: Definition.geluTanh
            case .quickGELU: Definition.quickGELU
            }
        let (y, dx) = (Tensor.unwritten(x.count), Tensor.unwritten(x.count))
        engine.activate(Tensor(x, shape: [x.count]), activation, into: y)
        #expect(difference(y, function(x)) < 1e-6)
        engine.activateBackward(Tensor(dy, shape: [x.count]), x: Tensor(x, shape: [x.count]), activation, dx: dx)
        let (above, below) = (function(x.map { $0 + 1e-5 }), function(x.map { $0 - 1e-5 }))
        #expect(difference(dx, x.indices.map { (above[$0] - below[$0]) / 2e-5 * dy[$0] }) < 1e-5)
    }

    @Test(arguments: [(1, 1, 8, 2), (2, 5, 12, 3), (1, 9, 16, 2)])
    func attention(images: Int, tokens: Int, width: Int, heads: Int) {
        var numbers = Numbers(seed: 9)
        let qkv = numbers.values(images * tokens * 3 * width).map { $0 * 2 }
        let dy = numbers.values(images * tokens * width)
        let (y, again) = (Tensor.unwritten(images, tokens, width), Tensor.unwritten(images, tokens, width))
        let dqkv = Tensor.unwritten(images, tokens, 3 * width)
        let input = Tensor(qkv, shape: [images, tokens, 3 * width])
        engine.attention(input, heads: heads, into: y)
        engine.attentionBackward(
            Tensor(dy, shape: [images, tokens, width]), qkv: input, heads: heads, dqkv: dqkv, y: again)
        func definition(_ qkv: [Double]) -> [Double] {
            Definition.attention(qkv, images: images, tokens: tokens, width: width, heads: heads)
        }
        #expect(difference(y, definition(qkv)) < 2e-6)
        #expect(difference(again, definition(qkv)) < 2e-6)
        #expect(difference(dqkv, numericGradient(of: qkv, cotangent: dy, definition)) < 1e-5)
    }

    /// A softmax's logits, cross-entropy and the loss over patches: scalars whose gradients the operations give.
    @Test func losses() {
        var numbers = Numbers(seed: 12)
        let (logits, targets) = (numbers.values(12).map { $0 * 3 }, numbers.values(12).map { $0.magnitude })
        func crossEntropies(_ logits: [Double]) -> [Double] {
            (0..<3).map { image in
                let probabilities = Definition.softmax(Array(logits[image * 4..<image * 4 + 4]))
                return (0..<4).reduce(0.0) { sum, i in sum - targets[image * 4 + i] * log(probabilities[i]) }
            }
        }
        let (got, d) = (Tensor.unwritten(3), Tensor.unwritten(3, 4))
        engine.crossEntropy(
            Tensor(logits, shape: [3, 4]), targets: Tensor(targets, shape: [3, 4]), scale: 1, losses: got, dLogits: d)
        #expect(difference(got, crossEntropies(logits)) < 1e-6)
        #expect(difference(d, numericGradient(of: logits, cotangent: [1, 1, 1], crossEntropies)) < 1e-5)

        let (prediction, target, weights) = (numbers.values(24), numbers.values(24), [0.5, 0])
        func errors(_ prediction: [Double]) -> [Double] {
            (0..<2).map { patch in
                (patch * 12..<patch * 12 + 12).reduce(0.0) { sum, i in
                    let error = prediction[i] - target[i]
                    return sum + error * error / 12
                }
            }
        }
        let (losses, dPrediction) = (Tensor.unwritten(1, 2), Tensor.unwritten(1, 2, 12))
        engine.patchLoss(
            Tensor(prediction, shape: [1, 2, 12]), target: Tensor(target, shape: [1, 2, 12]), index: nil,
            weights: Tensor(weights, shape: [1, 2]), losses: losses, dPrediction: dPrediction)
        #expect(difference(losses, errors(prediction)) < 1e-6)
        #expect(difference(dPrediction, numericGradient(of: prediction, cotangent: weights, errors)) < 1e-5)
    }

    /// Branches with scales of columns and images, tokens that are repeated, averaged and gathered: all are linear in what
    /// they are given, so that ⟨y, f(x)⟩ = ⟨fᵀ(y), x⟩.
    @Test func linearOperationsAreAdjoint() {
        var numbers = Numbers(seed: 13)
        func dot(_ a: Tensor, _ b: Tensor) -> Double {
            zip(a.values, b.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        func check(_ a: Double, _ b: Double) { #expect(abs(a - b) < 1e-4 * max(1, abs(a))) }
        let (x, y) = (numbers.tensor(2, 5, 3), numbers.tensor(2, 5, 3))
        let (row, dRow) = (numbers.tensor(2, 3), Tensor.unwritten(2, 3))
        let spread = Tensor.unwritten(2, 5, 3)
        engine.meanTokens(from: 2, of: x, into: dRow)
        engine.meanTokensBackward(row, from: 2, dx: spread)
        check(dot(dRow, row), dot(spread, x))

        let (tokens, sums, repeated) = (numbers.tensor(2, 3), Tensor(shape: [2, 3]), Tensor(shape: [2, 5, 3]))
        engine.repeatTokens(tokens, into: repeated)
        engine.repeatTokensBackward(y, dTokens: sums)
        check(dot(repeated, y), dot(sums, tokens))

        let index = Tensor(indices: [4, 1, 1, 0], shape: [2, 2])
        let (table, dTable) = (numbers.tensor(5, 3), Tensor(shape: [5, 3]))
        let (rows, dRows) = (Tensor.unwritten(2, 2, 3), numbers.tensor(2, 2, 3))
        engine.gather(index, of: table.reshaped([1, 5, 3]), into: rows)
        engine.gatherBackward(dRows, index: index, dTable: dTable)
        check(dot(rows, dRows), dot(dTable, table))

        let (columns, images, zero) = (numbers.tensor(3), numbers.tensor(2), Tensor(shape: [2, 5, 3]))
        let (scaled, dBranch, dColumns) = (Tensor.unwritten(2, 5, 3), Tensor.unwritten(2, 5, 3), Tensor(shape: [3]))
        engine.addBranch(x, columnScale: columns, imageScale: images, to: zero, into: scaled)
        engine.addBranchBackward(
            y, branch: x, columnScale: columns, imageScale: images, dBranch: dBranch, dColumnScale: dColumns)
        check(dot(scaled, y), dot(dBranch, x))
        check(dot(scaled, y), dot(dColumns, columns))
    }
}
