import Compute
import Testing

/// An operation on given numbers, which every engine has to compute alike.
struct OperationCase: Sendable, CustomTestStringConvertible {
    let name: String
    /// The largest difference, relative to the largest result.
    let tolerance: Double
    /// Runs it; the results, in order. Random numbers are the same for every engine.
    let run: @Sendable (any Engine, inout Numbers) -> [Tensor]

    var testDescription: String { name }

    init(
        _ name: String, tolerance: Double = 2e-6, _ run: @escaping @Sendable (any Engine, inout Numbers) -> [Tensor]
    ) {
        self.name = name
        self.tolerance = tolerance
        self.run = run
    }
}

extension OperationCase {
    static var all: [OperationCase] {
        linear + products + attention + mlp + rows + tokens + elements + images + losses + bfloat16
    }

    /// Rows, inputs and outputs: within a task, across tasks, with remainders, and no multiple of a vector; many rows, many
    /// inputs, and inputs by which rows evict each other from a cache.
    private static let linearShapes = [
        (1, 5, 3), (7, 16, 24), (48, 32, 48), (100, 33, 17), (230, 24, 101), (400, 40, 70), (30, 1030, 40),
        (13, 1024, 130),
    ]

    private static var linear: [OperationCase] {
        linearShapes.flatMap { rows, inputs, outputs in
            [(true, Precision.float32), (false, .float32), (true, .bfloat16), (false, .bfloat16), (false, .int8)].map {
                changes, precision in
                let kind = "\(changes ? "in place" : "packed") in \(precision)"
                return OperationCase("linear \(rows) × \(inputs) → \(outputs), \(kind)") {
                    engine, numbers in
                    let (x, weight) = (numbers.tensor(rows, inputs), numbers.tensor(outputs, inputs))
                    let weights = engine.linearWeights(weight, precision: precision, changes: changes)
                    let bias = numbers.tensor(outputs)
                    let epilogues = [
                        LinearEpilogue(),
                        LinearEpilogue(columnScale: numbers.tensor(outputs), residual: numbers.tensor(rows, outputs)),
                    ]
                    return epilogues.flatMap { epilogue in
                        [bias, nil].map { bias in
                            let y = Tensor.unwritten(rows, outputs)
                            engine.linear(x, weights, bias: bias, epilogue: epilogue, into: y)
                            return y
                        }
                    }
                }
            }
        }
            + [Precision.float32, .bfloat16].flatMap { linearGradients($0) } + [embedPatches]
    }

    private static func linearGradients(_ precision: Precision) -> [OperationCase] {
        [(1, 5, 3), (7, 16, 24), (53, 12, 130), (20, 64, 40), (400, 96, 33), (2100, 32, 9), (70, 1024, 10)].map {
            rows, inputs, outputs in
            OperationCase("linearInputGradient \(rows) × \(outputs) → \(inputs), \(precision)") { engine, numbers in
                let (dy, weight) = (numbers.tensor(rows, outputs), numbers.tensor(outputs, inputs))
                let dx = Tensor.unwritten(rows, inputs)
                engine.linearInputGradient(
                    dy, engine.linearWeights(weight, precision: precision, changes: true), dx: dx)
                return [dx]
            }
        }
            // With enough outputs that the input is packed or read in place, in parts; several tasks and a rest.
            + [(1, 5, 3), (100, 33, 17), (53, 12, 130), (20, 70, 64), (300, 32, 100), (20, 64, 1024), (4200, 9, 20)].map
        {
            rows, inputs, outputs in
            OperationCase("linearWeightGradient \(rows), \(inputs) → \(outputs), \(precision)") { engine, numbers in
                let (dy, x) = (numbers.tensor(rows, outputs), numbers.tensor(rows, inputs))
                let (dWeight, dBias) = (numbers.tensor(outputs, inputs), numbers.tensor(outputs))
                let weights = engine.linearWeights(numbers.tensor(outputs, inputs), precision: precision, changes: true)
                engine.linearWeightGradient(dy, x: x, weights, dWeight: dWeight, dBias: dBias)
                engine.linearWeightGradient(dy, x: x, weights, dWeight: dWeight, dBias: nil)
                return [dWeight, dBias]
            }
        }
    }

    private static let embedPatches = OperationCase("embedPatches") { engine, numbers in
        let (images, patches, length, width, prefix) = (3, 50, 12, 8, 2)
        let rows = numbers.tensor(images, patches, length)
        let weights = engine.linearWeights(numbers.tensor(width, length), precision: .float32, changes: false)
        let bias = numbers.tensor(width)
        return [numbers.tensor(patches, width), numbers.tensor(images, patches, width)].map { positions in
            // The tokens before the patches stay.
            let tokens = Tensor(
                [Double](repeating: 7, count: images * (prefix + patches) * width),
                shape: [images, prefix + patches, width])
            engine.embedPatches(rows, weights, bias: bias, positions: positions, from: prefix, into: tokens)
            return tokens
        }
    }

    private static var products: [OperationCase] {
        [(2, 3, 5, 8, 7), (1, 2, 40, 16, 33), (3, 1, 1, 100, 4), (2, 2, 70, 48, 96)].flatMap {
            images, heads, rows, inner, columns in
            [
                OperationCase("matmul \(images)·\(heads)·(\(rows) × \(inner) × \(columns))") { engine, numbers in
                    let a = numbers.tensor(images, heads, rows, inner)
                    let b = numbers.tensor(images, heads, inner, columns)
                    let bT = numbers.tensor(images, heads, columns, inner)
                    let (c, d) = (
                        Tensor.unwritten(images, heads, rows, columns), numbers.tensor(images, heads, rows, columns)
                    )
                    engine.matmul(.maps(a), .maps(b), scale: 0.5, accumulates: false, into: .maps(c))
                    engine.matmul(
                        .maps(a), MatrixBatch.maps(bT).transposed, scale: 1, accumulates: true, into: .maps(d))
                    return [c, d]
                },
                OperationCase("matmul of heads, transposed, \(rows) × \(inner)") { engine, numbers in
                    let x = numbers.tensor(images, rows, 3 * heads * inner)
                    let weights = numbers.tensor(images, heads, rows, rows)
                    let y = Tensor.unwritten(images, rows, heads * inner)
                    engine.matmul(
                        MatrixBatch.maps(weights).transposed, .heads(of: x, part: 2, parts: 3, heads: heads), scale: 1,
                        accumulates: false, into: .heads(of: y, heads: heads))
                    return [y]
                },
                // One matrix for all images, and sums over them: a map between heads and its gradient.
                OperationCase("matmul with a shared matrix \(heads) × \(heads)") { engine, numbers in
                    let mix = numbers.tensor(heads, heads)
                    let x = numbers.tensor(images, heads, rows * inner)
                    let (y, dMix) = (Tensor.unwritten(images, heads, rows * inner), numbers.tensor(heads, heads))
                    engine.matmul(
                        .matrices(mix, imageCount: images), .matrices(x), scale: 1, accumulates: false,
                        into: .matrices(y))
                    engine.matmul(
                        .matrices(y), MatrixBatch.matrices(x).transposed, scale: 1, accumulates: true,
                        into: .matrices(dMix, imageCount: images))
                    return [y, dMix]
                },
            ]
        }
    }

    private static var attention: [OperationCase] {
        // 101 and 300 queries of a head are those of several tasks, the last of which has fewer.
        [
            (1, 1, 8, 2, 1), (2, 5, 12, 3, 5), (2, 50, 32, 2, 50), (1, 101, 12, 3, 101), (2, 300, 16, 2, 270),
            (1, 40, 64, 2, 1),
        ].map {
            images, tokens, width, heads, queries in
            OperationCase("attention \(images) × \(tokens) × \(width), \(heads) heads, \(queries) queries") {
                engine, numbers in
                let qkv = numbers.tensor(images, tokens, 3 * width, scale: 2)
                let y = Tensor.unwritten(images, queries, width)
                engine.attention(qkv, heads: heads, into: y)
                let weights = Tensor.unwritten(images, heads, tokens, tokens)
                engine.attentionWeights(qkv, heads: heads, into: weights)
                return [y, weights]
            }
        }
            // 101 and 300 tokens are those of several tasks, each of which sees more keys than the one before.
            + [(1, 1, 8, 2), (2, 5, 12, 3), (3, 77, 128, 2), (1, 101, 12, 3), (2, 300, 16, 2)].flatMap {
                images, tokens, width, heads in
                [ElementType.float32, .bfloat16].map { type in
                    OperationCase(
                        "causalAttention \(images) × \(tokens) × \(width), \(heads) heads, \(type)",
                        tolerance: type == .float32 ? 2e-6 : 2e-2
                    ) { engine, numbers in
                        let qkv = Tensor(shape: [images, tokens, 3 * width], type: type)
                        qkv.assign(numbers.tensor(images, tokens, 3 * width, scale: 2).values)
                        let y = Tensor.unwritten(images, tokens, width)
                        engine.causalAttention(qkv, heads: heads, into: y)
                        return [y]
                    }
                }
            }
            // Rows of weights as far apart as those of the output (9 tokens), and so many rows that values are packed (40).
            + [(1, 1, 8, 2), (2, 5, 12, 3), (1, 9, 16, 2), (1, 14, 64, 2), (1, 40, 8, 1), (2, 100, 96, 3)].map {
                images, tokens, width, heads in
                OperationCase("attentionBackward \(images) × \(tokens) × \(width), \(heads) heads", tolerance: 5e-6) {
                    engine, numbers in
                    let qkv = numbers.tensor(images, tokens, 3 * width, scale: 2)
                    let dy = numbers.tensor(images, tokens, width)
                    let (dqkv, y) = (
                        Tensor.unwritten(images, tokens, 3 * width), Tensor.unwritten(images, tokens, width)
                    )
                    engine.attentionBackward(dy, qkv: qkv, heads: heads, dqkv: dqkv, y: y)
                    return [dqkv, y]
                }
            }
            // With heads of whole panels of weights (32 and 64 columns) and of others (24).
            + [(1, 1, 64, 1, 1), (2, 37, 128, 2, 2), (3, 18, 96, 3, 1), (2, 5, 48, 2, 2), (1, 197, 64, 1, 3)].flatMap {
                images, tokens, width, heads, queries in
                [(true, Precision.float32), (false, .float32), (true, .bfloat16), (true, .int8)].map {
                    hasBias, precision in
                    OperationCase(
                        "queryAttention \(images) × \(tokens) × \(width), \(queries) queries, bias \(hasBias), \(precision)"
                    ) {
                        engine, numbers in
                        let x = numbers.tensor(images, tokens, width)
                        let weights = engine.linearWeights(
                            numbers.tensor(3 * width, width, scale: 0.25), precision: precision, changes: false)
                        let bias = numbers.tensor(3 * width)
                        let y = Tensor.unwritten(images, queries, width)
                        engine.queryAttention(
                            x, weights, bias: hasBias ? bias : nil, heads: heads,
                            workspace: .unwritten(images, tokens, 3 * width), into: y)
                        return [y]
                    }
                }
            }
    }

    private static var mlp: [OperationCase] {
        // Few rows, which are computed layer by layer, and enough to go block by block, with a rest; hidden layers as they
        // come, and so wide that their rows are moved apart.
        [(3, 20), (70, 20), (400, 20), (70, 1024), (400, 1024)].flatMap { rows, hiddenWidth in
            [true, false].map { changes in
                OperationCase("mlp \(rows) × 5 → \(hiddenWidth), \(changes ? "in place" : "packed")") {
                    engine, numbers in
                    let x = numbers.tensor(rows, 5)
                    let layers = layers(hiddenWidth, changes: changes, engine, &numbers)
                    let epilogue = LinearEpilogue(residual: numbers.tensor(rows, 5))
                    let kept = Tensor.unwritten(rows, hiddenWidth)
                    let results = (Tensor.unwritten(rows, 5), Tensor.unwritten(rows, 5))
                    let hidden = Tensor.unwritten(rows, hiddenWidth)
                    engine.mlp(x, layers, preActivation: kept, hidden: hidden, epilogue: epilogue, into: results.0)
                    engine.mlp(x, layers, preActivation: nil, hidden: hidden, epilogue: epilogue, into: results.1)
                    return [results.0, results.1, kept]
                }
            }
        }
            + [3, 70, 390].map { rows in
                OperationCase("mlpInputGradient \(rows)") { engine, numbers in
                    let dy = numbers.tensor(rows, 5)
                    let layers = layers(20, changes: true, engine, &numbers)
                    let preActivation = numbers.tensor(rows, 20, scale: 3)
                    let (dHidden, dx) = (Tensor.unwritten(rows, 20), Tensor.unwritten(rows, 5))
                    engine.mlpInputGradient(dy, layers, preActivation: preActivation, dHidden: dHidden, dx: dx)
                    return [dHidden, dx]
                }
            }
    }

    private static func layers(
        _ hiddenWidth: Int, changes: Bool, _ engine: any Engine, _ numbers: inout Numbers
    ) -> MLPLayers {
        func weights(_ weight: Tensor) -> any LinearWeights {
            engine.linearWeights(weight, precision: .float32, changes: changes)
        }
        return MLPLayers(
            first: weights(numbers.tensor(hiddenWidth, 5)), firstBias: numbers.tensor(hiddenWidth), activation: .gelu,
            second: weights(numbers.tensor(5, hiddenWidth)), secondBias: numbers.tensor(5))
    }
}
