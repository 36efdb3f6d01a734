import Compute
import Datasets
import Models

/// How a classifier at one precision does on labelled images, and how far it is from float32.
public struct PrecisionScores: Sendable {
    /// The precision.
    public let precision: Precision
    /// Against the labels.
    public private(set) var scores: ClassificationScores
    /// The images whose most probable class is float32's.
    public private(set) var agreementCount = 0
    /// The largest difference of a logit from float32's.
    public private(set) var largestDifference = 0.0
    /// The time in the model alone, without decoding.
    public internal(set) var duration = Duration.zero
    private var differenceSum = 0.0
    private var logitCount = 0

    /// The mean difference of a logit from float32's.
    public var meanDifference: Double { logitCount == 0 ? 0 : differenceSum / Double(logitCount) }

    init(_ precision: Precision, classCount: Int, activation: HeadActivation) {
        self.precision = precision
        scores = ClassificationScores(classCount: classCount, activation: activation)
    }

    mutating func add(logits: [Float], exact: [Float], label: Int) {
        scores.add(logits: logits, label: label)
        func best(_ values: [Float]) -> Int? { values.indices.max { values[$0] < values[$1] } }
        if best(logits) == best(exact) { agreementCount += 1 }
        for (value, exact) in zip(logits, exact) {
            let difference = Double(abs(value - exact))
            differenceSum += difference
            largestDifference = max(largestDifference, difference)
        }
        logitCount += logits.count
    }
}

extension ImageClassifier {
    /// Classifies labelled images at every precision in one pass; the first of the results is float32's.
    ///
    /// `body` receives each image's path and, if it cannot be read, why; such an image does not count. An error thrown by
    /// `body` ends the comparison.
    public func comparePrecisions(
        _ samples: [ImageDataset.Sample], of dataset: ImageDataset,
        _ body: (_ path: String, _ result: Result<Void, InputError>) throws -> Void
    ) throws -> [PrecisionScores] {
        var results = Precision.allCases.map {
            PrecisionScores($0, classCount: classCount, activation: activation)
        }
        guard !samples.isEmpty else { return results }
        let models = try results.map { try model($0.precision) }
        var labels = samples.lazy.map(\.label).makeIterator()
        let clock = ContinuousClock()
        try forEachLogits(
            of: samples.map { dataset.input(of: $0) }, count: models.count,
            computing: { index, pixels, logits in
                results[index].duration += clock.measure { models[index].logits(pixels, into: logits) }
            }
        ) { path, result in
            let label = labels.next() ?? nil
            let outcome = result.flatMap { computed in
                Result { () throws(InputError) in
                    let logits = computed.logits
                    guard logits.joined().allSatisfy(\.isFinite) else {
                        throw .notFinite(path, weights: checkpoint.path)
                    }
                    guard let label else { return }
                    for index in results.indices {
                        results[index].add(logits: logits[index], exact: logits[0], label: label)
                    }
                }
            }
            try body(path, outcome)
        }
        return results
    }
}
