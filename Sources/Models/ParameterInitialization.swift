import Compute
import Layers
import Randomness

/// The first values of a model's weights, as MAE draws them.
///
/// He et al. 2022, appendix A.1: Xavier uniform (Glorot and Bengio 2010) for every linear layer, the fused queries,
/// keys and values counting as one matrix; the patch projection as if it were linear, its bias as PyTorch's convolution
/// has it; tokens normal with deviation 0.02; norms 1 and 0; other biases 0; LayerScale 1e-4 (DeiT III).
package enum ParameterInitialization {
    /// Fills `store`; every tensor has a stream of random numbers of its own, so that adding one changes no other.
    package static func fill(_ store: ParameterStore, seed: UInt64) {
        for (index, entry) in store.entries.enumerated() {
            var random = CounterRandom(seed: seed, purpose: .initialization, index: index)
            let values = values(name: entry.name, shape: entry.shape, random: &random)
            store.parameter(at: index).value.assign(values)
        }
    }

    private static func values(name: String, shape: [Int], random: inout CounterRandom) -> [Float] {
        let count = shape.reduce(1, *)
        if name.hasSuffix("_token") || name == "pos_embed" || name.hasSuffix(".latent") {
            return (0..<count).map { _ in Float(0.02 * random.normal()) }
        }
        if name.contains("gamma") { return [Float](repeating: 1e-4, count: count) }
        if name.hasSuffix("bias") {
            return [Float](repeating: 0, count: count)
        }
        guard shape.count > 1 else { return [Float](repeating: 1, count: count) }
        let (outputs, inputs) = (shape[0], count / shape[0])
        let bound = (6 / Double(inputs + outputs)).squareRoot()
        return (0..<count).map { _ in Float(random.uniform(-bound, bound)) }
    }

    /// The bias of the patch projection: uniform within ±1/√inputs.
    package static func fillPatchBias(_ store: ParameterStore, inputs: Int, seed: UInt64) {
        guard let index = store.entries.firstIndex(where: { $0.name == "patch_embed.proj.bias" }) else { return }
        var random = CounterRandom(seed: seed, purpose: .initialization, epoch: 1, index: index)
        let bound = 1 / Double(inputs).squareRoot()
        let bias = store.parameter(at: index).value
        bias.assign((0..<bias.count).map { _ in Float(random.uniform(-bound, bound)) })
    }
}

extension ParameterInitialization {
    /// Fresh heads on a trained trunk, so small that the first steps hardly disturb it: normal with deviation 2e-5, cut
    /// off at 2; biases 0 (He et al. 2022, appendix A.1).
    package static func fillHead(_ store: ParameterStore, seed: UInt64) {
        for (index, entry) in store.entries.enumerated() where entry.name.hasPrefix("head") {
            let value = store.parameter(at: index).value
            var random = CounterRandom(seed: seed, purpose: .initialization, epoch: 2, index: index)
            let isBias = entry.name.hasSuffix("bias")
            value.assign((0..<value.count).map { _ in isBias ? 0 : Float(2e-5 * random.truncatedNormal(limit: 2)) })
        }
    }
}
