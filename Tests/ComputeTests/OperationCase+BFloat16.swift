import Compute

/// Operations of training in bfloat16: weights that change, and results that are kept as bfloat16.
extension OperationCase {
    /// Half a step of bfloat16 is 1/512 of a number; the reference does not round attention weights.
    private static let (oneRounding, severalRoundings) = (4e-3, 2e-2)

    static var bfloat16: [OperationCase] {
        keptResults + keptAttention + [3, 70, 390, 400].flatMap { keptMLP(rows: $0) } + [keptActivation]
    }

    private static func kept(_ numbers: inout Numbers, _ shape: Int..., scale: Double = 1) -> Tensor {
        let tensor = Tensor(shape: shape, type: .bfloat16)
        tensor.assign(numbers.values(tensor.count).map { Float($0 * scale) })
        return tensor
    }

    private static func weights(
        _ engine: any Engine, _ numbers: inout Numbers, _ outputs: Int, _ inputs: Int
    ) -> any LinearWeights {
        engine.linearWeights(numbers.tensor(outputs, inputs), precision: .bfloat16, changes: true)
    }

    private static var keptResults: [OperationCase] {
        [(1, 5, 3), (30, 33, 65), (400, 40, 70), (500, 24, 600)].map { rows, inputs, outputs in
            OperationCase("linear \(rows) × \(inputs) → \(outputs), kept in bfloat16", tolerance: oneRounding) {
                engine, numbers in
                let x = numbers.tensor(rows, inputs)
                let weights = weights(engine, &numbers, outputs, inputs)
                let y = Tensor(shape: [rows, outputs], type: weights.activationType)
                engine.linear(x, weights, bias: numbers.tensor(outputs), epilogue: LinearEpilogue(), into: y)
                return [y]
            }
        }
    }

    private static var keptAttention: [OperationCase] {
        // Heads of odd widths, odd numbers of tokens, several tasks a head, and few queries.
        [(1, 1, 8, 2, 1), (2, 5, 9, 3, 5), (2, 50, 32, 2, 50), (1, 101, 10, 2, 101), (2, 300, 16, 2, 270)].map {
            images, tokens, width, heads, queries in
            OperationCase(
                "attention in bfloat16 \(images) × \(tokens) × \(width), \(heads) heads, \(queries) queries",
                tolerance: severalRoundings
            ) { engine, numbers in
                let qkv = kept(&numbers, images, tokens, 3 * width, scale: 2)
                let y = Tensor.unwritten(images, queries, width)
                engine.attention(qkv, heads: heads, into: y)
                let weights = Tensor.unwritten(images, heads, tokens, tokens)
                engine.attentionWeights(qkv, heads: heads, into: weights)
                return [y, weights]
            }
        }
            + [(1, 1, 8, 2), (2, 5, 9, 3), (1, 9, 16, 2), (1, 14, 64, 2), (2, 101, 96, 3)].map {
                images, tokens, width, heads in
                OperationCase(
                    "attentionBackward in bfloat16 \(images) × \(tokens) × \(width), \(heads) heads",
                    tolerance: severalRoundings
                ) { engine, numbers in
                    let qkv = kept(&numbers, images, tokens, 3 * width, scale: 2)
                    let dy = numbers.tensor(images, tokens, width)
                    let (dqkv, y) = (
                        Tensor.unwritten(images, tokens, 3 * width), Tensor.unwritten(images, tokens, width)
                    )
                    engine.attentionBackward(dy, qkv: qkv, heads: heads, dqkv: dqkv, y: y)
                    return [dqkv, y]
                }
            }
    }

    private static func keptMLP(rows: Int) -> [OperationCase] {
        [20, 1024].map { hiddenWidth in
            OperationCase("mlp in bfloat16 \(rows) × 5 → \(hiddenWidth)", tolerance: severalRoundings) {
                engine, numbers in
                let (x, dy) = (numbers.tensor(rows, 5), numbers.tensor(rows, 5))
                let layers = MLPLayers(
                    first: weights(engine, &numbers, hiddenWidth, 5), firstBias: numbers.tensor(hiddenWidth),
                    activation: .gelu, second: weights(engine, &numbers, 5, hiddenWidth),
                    secondBias: numbers.tensor(5))
                let before = Tensor(shape: [rows, hiddenWidth], type: layers.first.activationType)
                let (hidden, y) = (Tensor.unwritten(rows, hiddenWidth), Tensor.unwritten(rows, 5))
                engine.mlp(
                    x, layers, preActivation: before, hidden: hidden, epilogue: LinearEpilogue(), into: y)
                let (dHidden, dx) = (Tensor.unwritten(rows, hiddenWidth), Tensor.unwritten(rows, 5))
                engine.mlpInputGradient(dy, layers, preActivation: before, dHidden: dHidden, dx: dx)
                return [y, before, dHidden, dx]
            }
        }
    }

    private static let keptActivation = OperationCase("activation of bfloat16") { engine, numbers in
        let (x, dy) = (kept(&numbers, 70_001, scale: 6), numbers.tensor(70_001))
        let (y, dx) = (Tensor.unwritten(70_001), Tensor.unwritten(70_001))
        engine.activate(x, .gelu, into: y)
        engine.activateBackward(dy, x: x, .gelu, dx: dx)
        return [y, dx]
    }
}
