import LibC
import Models

/// A class that a model predicts for an image, with its probability.
public struct Prediction: Sendable, Hashable {
    /// The index of the class.
    public let index: Int
    /// The name of the class.
    public let label: String
    /// From 0 to 1; with softmax, the probabilities of all classes sum to 1. With no activation, the logit.
    public let probability: Float
}

/// A model's output for one image.
public struct Classification: Sendable {
    /// The image's width in pixels, after EXIF orientation.
    public let width: Int
    /// The image's height in pixels, after EXIF orientation.
    public let height: Int
    /// The head's output, one value per class.
    public let logits: [Float]
    let labels: ClassLabels
    let activation: HeadActivation

    /// The `count` most probable classes, most probable first; ties are ordered by index.
    public func predictions(top count: Int) -> [Prediction] {
        let scores = Self.scores(logits, activation)
        return Self.highest(count, of: logits).map {
            Prediction(index: $0, label: labels[$0], probability: scores[$0])
        }
    }

    /// What the activation makes of logits.
    private static func scores(_ logits: [Float], _ activation: HeadActivation) -> [Float] {
        switch activation {
        case .softmax: softmax(logits)
        case .sigmoid: logits.map { 1 / (1 + expf(-$0)) }
        case .identity: logits
        }
    }

    /// exp(x) / Σ exp(x), shifted by the maximum so that nothing overflows.
    package static func softmax(_ logits: [Float]) -> [Float] {
        let maximum = logits.max() ?? 0
        let powers = logits.map { expf($0 - maximum) }
        let sum = Float(powers.reduce(into: 0.0) { $0 += Double($1) })
        return powers.map { $0 / sum }
    }

    /// The indices of the `count` highest values, highest first.
    package static func highest(_ count: Int, of values: [Float]) -> [Int] {
        let count = min(max(count, 0), values.count)
        guard count > 0 else { return [] }
        var best: [Int] = []
        best.reserveCapacity(count + 1)
        for (index, value) in values.enumerated() {
            if best.count == count, let last = best.last, value <= values[last] { continue }
            var low = 0
            var high = best.count
            while low < high {
                let middle = (low + high) / 2
                if values[best[middle]] >= value { low = middle + 1 } else { high = middle }
            }
            best.insert(index, at: low)
            if best.count > count { best.removeLast() }
        }
        return best
    }
}
