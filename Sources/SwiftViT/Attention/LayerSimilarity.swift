import Compute

/// The similarity of a model's layers on the same images: linear CKA, estimated over minibatches.
///
/// Kornblith et al. 2019 for CKA; Nguyen et al. 2021, equations 2 and 3, for the sum of unbiased estimates over
/// minibatches, as Raghu et al. 2021 use it. An image is one example; all its tokens are its features.
struct LayerSimilarity {
    /// The estimator divides by the size of a minibatch less three.
    static let minimumImageCount = 4

    private let layerCount: Int
    /// The summed HSIC estimates of each pair of layers.
    private var sums: [Double]
    private var grams: [[Double]] = []

    init(layerCount: Int) {
        self.layerCount = layerCount
        sums = [Double](repeating: 0, count: layerCount * layerCount)
    }

    /// Appends the tokens (B, N, D) of the next layer for the images of a minibatch.
    mutating func append(_ tokens: Tensor, engine: any Engine) {
        let (count, width) = (tokens.shape[0], tokens.count / tokens.shape[0])
        let features = Tensor(Self.centered(tokens.values, count: count, width: width), shape: [count, width])
        let gram = Tensor(shape: [count, count])
        engine.linear(
            features, engine.linearWeights(features, precision: .float32, changes: true), bias: nil,
            epilogue: LinearEpilogue(), into: gram)
        grams.append(gram.values.map { Double($0) })
        guard grams.count == layerCount else { return }
        if count >= Self.minimumImageCount {
            for one in 0..<layerCount {
                for other in 0..<layerCount { sums[one * layerCount + other] += Self.hsic(grams[one], grams[other]) }
            }
        }
        grams = []
    }

    /// The similarity of each pair of layers, row by row; nil if no minibatch was large enough.
    var matrix: [Double]? {
        let own = (0..<layerCount).map { sums[$0 * layerCount + $0] }
        guard own.allSatisfy({ $0 > 0 }) else { return nil }
        return sums.indices.map { sums[$0] / (own[$0 / layerCount] * own[$0 % layerCount]).squareRoot() }
    }

    /// The features less their mean over the images. The estimate is the same without, but its rounding error is larger.
    private static func centered(_ features: [Float], count: Int, width: Int) -> [Float] {
        var features = features
        for column in 0..<width {
            var sum: Float = 0
            for row in 0..<count { sum += features[row * width + column] }
            let mean = sum / Float(count)
            for row in 0..<count { features[row * width + column] -= mean }
        }
        return features
    }

    /// The unbiased estimate of HSIC from two Gram matrices (n, n), whose diagonals are ignored.
    static func hsic(_ k: [Double], _ l: [Double]) -> Double {
        let n = Int(Double(k.count).squareRoot().rounded())
        var (trace, kSum, lSum, cross) = (0.0, 0.0, 0.0, 0.0)
        for row in 0..<n {
            var (kRow, lRow) = (0.0, 0.0)
            for column in 0..<n where column != row {
                trace += k[row * n + column] * l[row * n + column]
                kRow += k[row * n + column]
                lRow += l[row * n + column]
            }
            kSum += kRow
            lSum += lRow
            cross += kRow * lRow
        }
        let count = Double(n)
        return (trace + kSum * lSum / ((count - 1) * (count - 2)) - 2 / (count - 2) * cross) / (count * (count - 3))
    }
}
