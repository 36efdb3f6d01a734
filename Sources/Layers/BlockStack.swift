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

    /// x (B, N, D) through all blocks; each leaves its results in its part of `caches`. The last output is returned: that
    /// of all tokens, or of the first ones where there is room for them alone in `leading`.
    package func forward(
        _ x: Tensor, into caches: [BlockActivations], leading: LeadingWorkspace? = nil, paths: [PathScales] = [],
        engine: any Engine
    ) -> Tensor {
        var x = x
        for (index, block) in blocks.enumerated() {
            let paths = paths.isEmpty ? nil : paths[index]
            if index == blocks.count - 1, let leading {
                block.forwardLeading(
                    x, into: caches[index], leading: leading.activations, paths: paths, engine: engine)
                return leading.activations.output
            }
            block.forward(x, into: caches[index], paths: paths, engine: engine)
            x = caches[index].output
        }
        return x
    }

    /// The gradient `d` by the last output becomes, in place, the one by the input x of `forward`. Where that was told to
    /// compute the first tokens alone, their gradient is in `leading`, and what `d` holds before does not count.
    package func backward(
        _ d: Tensor, x: Tensor, caches: [BlockActivations], leading: LeadingWorkspace? = nil, paths: [PathScales] = [],
        gradients: BlockGradients, engine: any Engine
    ) {
        for index in blocks.indices.reversed() {
            let input = index == 0 ? x : caches[index - 1].output
            let paths = paths.isEmpty ? nil : paths[index]
            if index == blocks.count - 1, let leading {
                blocks[index].backwardLeading(
                    leading, x: input, cache: caches[index], paths: paths, gradients: gradients, d: d, engine: engine)
            } else {
                blocks[index].backward(
                    d, x: input, cache: caches[index], paths: paths, gradients: gradients, engine: engine)
            }
        }
    }
}
