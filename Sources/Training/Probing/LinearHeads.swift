import Compute
import Models
import Randomness

/// Linear classifiers on the same features, side by side: each has a learning rate of its own, and all get every batch,
/// normalized once.
package final class LinearHeads {
    /// Classifiers.
    package let headCount: Int
    package let classCount: Int
    /// (heads · classes, width), one classifier after the other.
    package let weights: Tensor
    /// (heads · classes)
    package let bias: Tensor
    package let norm: BatchNorm
    private let optimizer: LARS
    private let engine: any Engine
    private let inPlace: any LinearWeights
    private let dWeights: Tensor
    private let dBias: Tensor
    private let velocity: Tensor
    private let biasVelocity: Tensor
    private let workspace: Workspace

    /// The memory of a batch.
    private struct Workspace {
        /// (B, width)
        let features: Tensor
        /// Which rows of all features these are (B).
        let indices: Tensor
        /// (B, heads · classes)
        let logits: Tensor
        /// (B · heads, classes)
        let targets: Tensor
        let losses: Tensor
    }

    /// Classifiers with weights from N(0, 0.01), as MAE's linear probing begins, the same for all.
    package init(
        headCount: Int, classCount: Int, width: Int, batchSize: Int, optimizer: LARS, seed: UInt64,
        engine: any Engine
    ) {
        self.headCount = headCount
        self.classCount = classCount
        self.optimizer = optimizer
        self.engine = engine
        norm = BatchNorm(width: width)
        let outputs = headCount * classCount
        (weights, dWeights, velocity) = (
            Tensor(shape: [outputs, width]), Tensor(shape: [outputs, width]), Tensor(shape: [outputs, width])
        )
        (bias, dBias, biasVelocity) = (
            Tensor(shape: [outputs]), Tensor(shape: [outputs]), Tensor(shape: [outputs])
        )
        workspace = Workspace(
            features: Tensor(shape: [batchSize, width]), indices: Tensor(shape: [batchSize], type: .int32),
            logits: Tensor(shape: [batchSize, outputs]),
            targets: Tensor(shape: [batchSize * headCount, classCount]),
            losses: Tensor(shape: [batchSize * headCount]))
        inPlace = engine.linearWeights(weights, precision: .float32, changes: true)
        var random = CounterRandom(seed: seed, purpose: .initialization)
        let values = (0..<classCount * width).map { _ in Float(0.01 * random.normal()) }
        for head in 0..<headCount { rows(of: head, in: weights).assign(values) }
    }

    /// One step on the images `indices` of `features`, as many as the batch size, with a learning rate a classifier.
    package func step(_ features: LabeledFeatures, indices: [Int32], rates: [Double]) {
        let batchSize = workspace.features.shape[0]
        workspace.indices.assign(indices: indices)
        engine.gather(
            workspace.indices, of: features.values.reshaped([1] + features.values.shape),
            into: workspace.features.reshaped([1] + workspace.features.shape))
        norm.normalizeBatch(workspace.features, engine: engine)
        engine.fillRows(of: workspace.targets) { row, values in
            let label = features.labels[Int(indices[row / headCount])]
            for index in 0..<classCount { values[index] = index == label ? 1 : 0 }
        }
        engine.linear(
            workspace.features, inPlace, bias: bias, epilogue: LinearEpilogue(),
            into: workspace.logits)
        let logits = workspace.logits.reshaped(workspace.targets.shape)
        engine.crossEntropy(
            logits, targets: workspace.targets, scale: 1 / Float(batchSize), losses: workspace.losses, dLogits: logits)
        engine.zero(dWeights)
        engine.zero(dBias)
        engine.linearWeightGradient(
            workspace.logits, x: workspace.features, inPlace, dWeight: dWeights, dBias: dBias)
        for (head, rate) in rates.enumerated() {
            optimizer.update(
                rows(of: head, in: weights), gradient: rows(of: head, in: dWeights),
                velocity: rows(of: head, in: velocity), learningRate: rate, isVector: false, engine: engine)
            optimizer.update(
                rows(of: head, in: bias), gradient: rows(of: head, in: dBias),
                velocity: rows(of: head, in: biasVelocity), learningRate: rate, isVector: true, engine: engine)
        }
    }

    /// The scores of each classifier on other features.
    package func scores(_ features: LabeledFeatures) -> [ClassificationScores] {
        var scores = [ClassificationScores](repeating: ClassificationScores(classCount: classCount), count: headCount)
        let size = min(Self.rowsAtOnce, max(1, features.count))
        let (x, y) = (Tensor(shape: [size, features.width]), Tensor(shape: [size, headCount * classCount]))
        for first in stride(from: 0, to: features.count, by: size) {
            let count = min(size, features.count - first)
            let (rows, logits) = (x.rows(0..<count), y.rows(0..<count))
            rows.assign(features.values.rows(first..<first + count).values)
            norm.normalize(rows, engine: engine)
            engine.linear(
                rows, inPlace, bias: bias, epilogue: LinearEpilogue(), into: logits)
            let table = logits.reshaped([count * headCount, classCount])
            for row in 0..<count {
                for head in 0..<headCount {
                    let place = row * headCount + head
                    scores[head].add(logits: table.rows(place..<place + 1).values, label: features.labels[first + row])
                }
            }
        }
        return scores
    }

    private static let rowsAtOnce = 512

    private func rows(of head: Int, in tensor: Tensor) -> Tensor {
        tensor.rows(head * classCount..<(head + 1) * classCount)
    }
}
