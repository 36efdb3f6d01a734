import Compute

/// Blocks one after the other, as an encoder and a decoder have them.
package struct BlockStack: Sendable {
    package let blocks: [Block]

    /// Takes the blocks `numbers` of those whose parameters begin with `name` and a number.
    package init(
        _ name: String, _ numbers: Range<Int>, _ shape: BlockShape, from source: some ParameterSource,
        engine: any Engine
    ) throws {
        blocks = try numbers.map { try Block("\(name).\($0)", shape, from: source, engine: engine) }
    }

    /// x (B, N, D) through all blocks; each leaves its results in its part of `caches`. The last output is returned.
    package func forward(
        _ x: Tensor, into caches: [BlockActivations], paths: [PathScales] = [], engine: any Engine
    ) -> Tensor {
        var x = x
        for (index, block) in blocks.enumerated() {
            block.forward(x, into: caches[index], paths: paths.isEmpty ? nil : paths[index], engine: engine)
            x = caches[index].output
        }
        return x
    }

    /// The gradient `d` by the last output becomes, in place, the one by the input x of `forward`.
    package func backward(
        _ d: Tensor, x: Tensor, caches: [BlockActivations], paths: [PathScales] = [], gradients: BlockGradients,
        engine: any TrainingEngine
    ) {
        for index in blocks.indices.reversed() {
            blocks[index].backward(
                d, x: index == 0 ? x : caches[index - 1].output, cache: caches[index],
                paths: paths.isEmpty ? nil : paths[index], gradients: gradients, dx: d, engine: engine)
        }
    }
}
