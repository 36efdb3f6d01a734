import Compute
import TensorFiles

/// A batch norm without weights of its own, folded into the linear layer that follows it: (x − mean) / √(variance + ε) times
/// W plus b is x times other weights plus another bias.
struct FoldedBatchNorm: Sendable {
    let mean: StoredTensor
    let variance: StoredTensor
    /// The stored weights (outputs, inputs) of the layer.
    let weight: StoredTensor

    /// MAE's linear probe: `main_linprobe.py`.
    private static let epsilon = 1e-6

    /// Refuses statistics of another length than the layer's inputs.
    init(mean: StoredTensor, variance: StoredTensor, weight: StoredTensor, path: String) throws(CheckpointError) {
        for tensor in [mean, variance] {
            guard tensor.shape == [weight.shape.last ?? 0], tensor.description.type.isFloatingPoint else {
                throw .malformed(path, "has a batch norm \(tensor.name) that does not fit \(weight.name)")
            }
        }
        (self.mean, self.variance, self.weight) = (mean, variance, weight)
    }

    /// The weights (outputs, inputs), or the bias (outputs), of the layer that needs no batch norm.
    func folded(into tensor: Tensor) throws(CheckpointError) -> Tensor {
        let deviations = try Self.numbers(variance).map { (Double($0) + Self.epsilon).squareRoot() }
        let count = deviations.count
        var values = tensor.values
        if tensor.shape.count == 2 {
            for index in values.indices { values[index] = Float(Double(values[index]) / deviations[index % count]) }
        } else {
            let (means, weights) = (try Self.numbers(mean), try Self.numbers(weight))
            for index in values.indices {
                var sum = Double(values[index])
                for input in 0..<count {
                    sum -= Double(weights[index * count + input]) * Double(means[input]) / deviations[input]
                }
                values[index] = Float(sum)
            }
        }
        return Tensor(values, shape: tensor.shape)
    }

    private static func numbers(_ stored: StoredTensor) throws(CheckpointError) -> [Float] {
        try TensorRecipe(shape: stored.shape, parts: [(TensorPart(stored.name), stored)]).make().values
    }
}
