import Compute
import Support

extension OperationCase {
    static var rows: [OperationCase] {
        [(1, 8), (5, 24), (300, 192), (3, 33)].flatMap { rows, width in
            [Float(1e-6), 1e-12].map { epsilon in
                OperationCase("layerNorm \(rows) × \(width), epsilon \(epsilon)", tolerance: 5e-6) { engine, numbers in
                    let x = numbers.tensor(rows, width)
                    let (weight, bias) = (numbers.tensor(width), numbers.tensor(width))
                    let y = Tensor.unwritten(rows, width)
                    let (mean, variance) = (Tensor.unwritten(rows), Tensor.unwritten(rows))
                    engine.layerNorm(
                        x, weight: weight, bias: bias, epsilon: epsilon, into: y, mean: mean, variance: variance)
                    let dy = numbers.tensor(rows, width)
                    let residual = numbers.tensor(rows, width)
                    let (dx, dWeight, dBias) = (
                        Tensor.unwritten(rows, width), numbers.tensor(width), numbers.tensor(width)
                    )
                    for residual in [residual, nil] {
                        engine.layerNormBackward(
                            dy, x: x, weight: weight, epsilon: epsilon, mean: mean, variance: variance,
                            residual: residual, dx: dx, dWeight: dWeight, dBias: dBias)
                    }
                    // The result may take the place of what is added, or of what it comes from.
                    engine.layerNormBackward(
                        dy, x: x, weight: weight, epsilon: epsilon, mean: mean, variance: variance, residual: residual,
                        dx: residual, dWeight: dWeight, dBias: dBias)
                    engine.layerNormBackward(
                        dy, x: x, weight: weight, epsilon: epsilon, mean: mean, variance: variance, residual: residual,
                        dx: dy, dWeight: dWeight, dBias: dBias)
                    return [y, dx, residual, dy, dWeight, dBias]
                }
            }
        }
            + [(1, 1), (7, 16), (300, 197)].map { rows, width in
                OperationCase("softmax \(rows) × \(width)") { engine, numbers in
                    let (x, d) = (numbers.tensor(rows, width, scale: 8), numbers.tensor(rows, width))
                    engine.softmax(x)
                    engine.softmaxBackward(x, d: d)
                    return [x, d]
                }
            }
            + [(1, 1, 1), (3, 7, 7), (2, 40, 40), (5, 1, 33), (2, 3, 20), (4, 77, 77)].map { count, rows, width in
                OperationCase("causalSoftmax \(count) × \(rows) × \(width)") { engine, numbers in
                    let x = numbers.tensor(count, rows, width, scale: 8)
                    engine.causalSoftmax(x)
                    return [x]
                }
            }
            + [Activation.gelu, .geluTanh, .quickGELU].map { activation in
                OperationCase("\(activation)") { engine, numbers in
                    let (x, dy) = (numbers.tensor(70_000, scale: 6), numbers.tensor(70_000))
                    let (y, dx) = (Tensor.unwritten(70_000), Tensor.unwritten(70_000))
                    engine.activate(x, activation, into: y)
                    engine.activateBackward(dy, x: x, activation, dx: dx)
                    engine.activateBackward(dy, x: x, activation, dx: dy)
                    engine.activate(x, activation, into: x)
                    return [y, dx, dy, x]
                }
            }
            + [
                OperationCase("normalizeRows and norm") { engine, numbers in
                    let x = numbers.tensor(5, 33)
                    x.rows(2..<3).assign([Float](repeating: 0, count: 33))
                    let length = engine.norm(x)
                    engine.normalizeRows(x)
                    return [x, Tensor([length], shape: [1])]
                }
            ]
    }

    static var tokens: [OperationCase] {
        [(2, 5, 3), (3, 197, 64), (40, 60, 33)].map { images, count, width in
            OperationCase("tokens \(images) × \(count) × \(width)") { engine, numbers in
                let x = numbers.tensor(images, count, width)
                let part = Tensor.unwritten(images, 2, width)
                engine.copyTokens(1..<3, of: x, into: part)
                let one = Tensor.unwritten(images, width)
                engine.copyTokens(count - 1..<count, of: x, into: one)
                let changed = numbers.tensor(images, count, width)
                engine.setTokens(0..<2, of: changed, to: part)
                let repeated = numbers.tensor(images, count, width)
                engine.repeatTokens(numbers.tensor(2, width), into: repeated)
                let padded = Tensor.unwritten(images, count, width)
                engine.padTokens(part, into: padded)
                let sums = numbers.tensor(2, width)
                engine.repeatTokensBackward(x, dTokens: sums)
                let mean = Tensor.unwritten(images, width)
                engine.meanTokens(from: 1, of: x, into: mean)
                let spread = Tensor.unwritten(images, count, width)
                engine.meanTokensBackward(mean, from: 1, dx: spread)
                return [part, one, changed, repeated, padded, sums, mean, spread]
            }
        }
            + [
                OperationCase("gather and its backward") { engine, numbers in
                    let index = Tensor(indices: [2, 0, 1, 2, 2, 3], shape: [3, 2])
                    let (own, table) = (numbers.tensor(3, 4, 5), numbers.tensor(4, 5))
                    let (y, z) = (Tensor.unwritten(3, 2, 5), Tensor.unwritten(3, 2, 5))
                    engine.gather(index, of: own, into: y)
                    engine.gather(index, of: table.reshaped([1, 4, 5]), into: z)
                    let dTable = numbers.tensor(4, 5)
                    engine.gatherBackward(y, index: index, dTable: dTable)
                    return [y, z, dTable]
                },
                OperationCase("completeTokens and its backward") { engine, numbers in
                    let order = Tensor(indices: [2, 0, 1, 1, 2, 0], shape: [2, 3])
                    let (visible, mask, positions) = (numbers.tensor(2, 2, 6), numbers.tensor(6), numbers.tensor(4, 6))
                    let full = Tensor.unwritten(2, 4, 6)
                    engine.completeTokens(visible, order: order, maskToken: mask, positions: positions, into: full)
                    let (dVisible, dMask) = (Tensor.unwritten(2, 2, 6), numbers.tensor(6))
                    engine.completeTokensBackward(numbers.tensor(2, 4, 6), dVisible: dVisible, dMaskToken: dMask)
                    return [full, dVisible, dMask]
                },
            ]
    }

    static var elements: [OperationCase] {
        [5, 70_000].map { count in
            OperationCase("elements of \(count)") { engine, numbers in
                let (x, y, z, w) = (
                    numbers.tensor(count), numbers.tensor(count), numbers.tensor(count), numbers.tensor(count)
                )
                engine.add(x, into: y)
                engine.lerp(z, toward: x, weight: 0.25)
                engine.scale(x, by: -3)
                engine.zero(w)
                return [x, y, z, w]
            }
        }
            + [(true, true), (true, false), (false, true), (false, false)].map { columns, images in
                OperationCase("addBranch, scales of columns \(columns), of images \(images)") { engine, numbers in
                    let (branch, x) = (numbers.tensor(3, 4, 10), numbers.tensor(3, 4, 10))
                    let (columnScale, imageScale) = (numbers.tensor(10), numbers.tensor(3))
                    let y = Tensor.unwritten(3, 4, 10)
                    engine.addBranch(
                        branch, columnScale: columns ? columnScale : nil, imageScale: images ? imageScale : nil, to: x,
                        into: y)
                    let (dBranch, dColumns) = (Tensor.unwritten(3, 4, 10), numbers.tensor(10))
                    engine.addBranchBackward(
                        x, branch: branch, columnScale: columns ? columnScale : nil,
                        imageScale: images ? imageScale : nil, dBranch: dBranch, dColumnScale: columns ? dColumns : nil)
                    return [y, dBranch, dColumns]
                }
            }
            + [
                OperationCase("adamW") { engine, numbers in
                    let (w, g, m) = (numbers.tensor(100), numbers.tensor(100), numbers.tensor(100))
                    let v = Tensor(numbers.values(100).map { $0 * $0 }, shape: [100])
                    let step = AdamWStep(learningRate: 0.01, weightDecay: 0.1, step: 3, gradientScale: 0.5)
                    engine.adamW(w, gradients: g, moments: (m, v), range: 3..<90, step)
                    return [w, m, v]
                },
                OperationCase("momentumStep") { engine, numbers in
                    [(nil, 0), (0.01, 0), (0.01, 0.1)].flatMap { (trust: Double?, decay: Float) in
                        let (w, g, v) = (numbers.tensor(70_000), numbers.tensor(70_000), numbers.tensor(70_000))
                        let step = MomentumStep(learningRate: 0.5, momentum: 0.9, weightDecay: decay, trust: trust)
                        engine.momentumStep(w, gradient: g, velocity: v, step)
                        return [w, g, v]
                    }
                },
                OperationCase("momentumStep from zero") { engine, numbers in
                    let (w, g, v) = (Tensor(shape: [7]), numbers.tensor(7), numbers.tensor(7))
                    let step = MomentumStep(learningRate: 0.5, momentum: 0.9, trust: 0.01)
                    engine.momentumStep(w, gradient: g, velocity: v, step)
                    return [w, v]
                },
            ]
    }

    static var images: [OperationCase] {
        [
            OperationCase("patchify") { engine, numbers in
                let images = numbers.tensor(2, 3, 8, 12)
                let rows = Tensor.unwritten(2, 6, 48)
                engine.patchify(images, patch: Size(square: 4), into: rows)
                return [rows]
            },
            OperationCase("pixelTargets") { engine, numbers in
                let images = numbers.tensor(2, 2, 6, 8)
                return [true, false].map { normalizes in
                    let targets = Tensor.unwritten(2, 4, 24)
                    engine.pixelTargets(
                        images, patch: Size(height: 3, width: 4), normalizes: normalizes, into: targets)
                    return targets
                }
            },
            OperationCase("mixing") { engine, numbers in
                let (mixed, swapped) = (numbers.tensor(5, 3, 8, 9), numbers.tensor(5, 3, 8, 9))
                engine.mixReversed(mixed, weight: 0.75, rest: 0.25)
                engine.swapReversed(swapped, rows: 2..<7, columns: 0..<5)
                return [mixed, swapped]
            },
            OperationCase("cosines") { engine, numbers in
                let vectors = numbers.tensor(130, 24)
                vectors.rows(7..<8).assign([Float](repeating: 0, count: 24))
                let queries = numbers.tensor(5, 24)
                engine.normalizeRows(queries)
                let values = vectors.values
                let y = Tensor.unwritten(130, 5)
                engine.cosines(
                    of: 130,
                    rows: { range, target in
                        for (i, value) in values[range.lowerBound * 24..<range.upperBound * 24].enumerated() {
                            target[i] = value
                        }
                    }, with: engine.linearWeights(queries, precision: .float32, changes: false), into: y)
                return [y]
            },
        ]
    }

    static var losses: [OperationCase] {
        [
            OperationCase("crossEntropy") { engine, numbers in
                let logits = numbers.tensor(4, 10, scale: 5)
                let targets = Tensor(numbers.values(40).map { $0.magnitude }, shape: [4, 10])
                let (losses, d) = (Tensor.unwritten(4), Tensor.unwritten(4, 10))
                engine.crossEntropy(logits, targets: targets, scale: 0.5, losses: losses, dLogits: d)
                engine.crossEntropy(logits, targets: targets, scale: 1, losses: losses, dLogits: logits)
                return [losses, d, logits]
            },
            OperationCase("patchLoss") { engine, numbers in
                let (prediction, target) = (numbers.tensor(2, 2, 12), numbers.tensor(2, 3, 12))
                let weights = Tensor([0.5, 0, 0.25, 1], shape: [2, 2])
                let index = Tensor(indices: [2, 0, 1, 2], shape: [2, 2])
                let (losses, d) = (Tensor.unwritten(2, 2), Tensor.unwritten(2, 2, 12))
                engine.patchLoss(
                    prediction, target: target, index: index, weights: weights, losses: losses, dPrediction: d)
                let others = Tensor.unwritten(2, 2)
                engine.patchLoss(
                    prediction, target: numbers.tensor(2, 2, 12), index: nil, weights: weights, losses: others,
                    dPrediction: nil)
                engine.patchLoss(
                    prediction, target: target, index: index, weights: weights, losses: losses, dPrediction: prediction)
                return [losses, d, others, prediction]
            },
        ]
    }
}
