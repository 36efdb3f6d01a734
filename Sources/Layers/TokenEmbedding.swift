import Compute
import Support

/// Images to tokens: patches are projected, positions are added, and class, distillation or register tokens come first
/// (Dosovitskiy et al. 2021, equation 1).
package struct TokenEmbedding: Sendable {
    /// Class, distillation or register tokens (rows, D).
    package struct Prefix: Sendable {
        let tokens: Parameter
        let rows: Range<Int>
    }

    /// The size of a patch in pixels.
    let patch: Size
    let projection: Linear
    let prefixes: [Prefix]
    /// (rows, D): first those of the tokens before the patches that have a position, then one a patch.
    let positions: Parameter
    /// How many rows of `positions` belong to tokens before the patches.
    let positionedPrefix: Int
    /// A norm that all tokens go through (CLIP).
    let norm: LayerNorm?

    /// - Parameters:
    ///   - prefixes: the names of the tokens before the patches, with their counts.
    ///   - positions: (rows, D); as many of its first rows as there are more than patches belong to the prefix.
    ///   - norm: a norm that all tokens go through.
    package init(
        patch: Size, projection: Linear, prefixes: [(name: String, count: Int)], positions: Parameter,
        patchCount: Int, norm: LayerNorm? = nil, _ builder: LayerBuilder
    ) throws {
        self.norm = norm
        self.patch = patch
        self.projection = projection
        var rows: [Prefix] = []
        for (name, count) in prefixes {
            let first = rows.last?.rows.upperBound ?? 0
            rows.append(Prefix(tokens: try builder.parameter(name), rows: first..<first + count))
        }
        self.prefixes = rows
        self.positions = positions
        positionedPrefix = positions.value.shape[0] - patchCount
    }

    /// The number of tokens before the patches.
    var prefixCount: Int { prefixes.last?.rows.upperBound ?? 0 }
    var patchCount: Int { positions.value.shape[0] - positionedPrefix }
    var width: Int { projection.outputs }
}

/// A token embedding with the memory that it works in.
package struct TokenEmbeddingPass: Sendable {
    private let layer: TokenEmbedding
    private let engine: any Engine
    /// All patches as rows (B, L, patch length). Once embedded, nobody reads them.
    package let patches: Tensor
    /// The patches that become tokens (B, K, patch length).
    private let visible: Tensor
    /// Their positions (B, K, D), and in the backward pass their gradients.
    private let visiblePositions: Tensor?
    /// Which patches they are (B, K); nil: all.
    private let index: Tensor?
    /// The tokens before the patches with their positions (P, D), and in the backward pass their gradients.
    private let prefix: Tensor
    /// The tokens before a norm (B, P + K, D).
    private let embedded: Tensor
    private let statistics: LayerNorm.Statistics?
    /// The result (B, P + K, D).
    package let tokens: Tensor

    /// - Parameter keptCount: how many patches of an image become tokens, in an order that each pass is told; nil: all, in
    ///   their own order.
    package init(_ layer: TokenEmbedding, imageCount: Int, keptCount: Int? = nil, in workspace: Workspace) {
        self.layer = layer
        engine = workspace.engine
        let (patchCount, width) = (layer.patchCount, layer.width)
        let isMasked = keptCount != nil
        let keptCount = keptCount ?? patchCount
        patches = workspace.tensor([imageCount, patchCount, layer.projection.inputs])
        visible = isMasked ? workspace.tensor([imageCount, keptCount, layer.projection.inputs]) : patches
        index = isMasked ? workspace.tensor([imageCount, keptCount], type: .int32) : nil
        prefix = workspace.tensor([layer.prefixCount, width])
        let shape = [imageCount, layer.prefixCount + keptCount, width]
        tokens = workspace.tensor(shape)
        embedded = layer.norm != nil && workspace.keepsActivations ? workspace.tensor(shape) : tokens
        statistics = layer.norm.map { _ in
            LayerNorm.statistics(shape[0] * shape[1], isKept: true, in: workspace)
        }
        visiblePositions =
            isMasked || workspace.keepsActivations ? workspace.tensor([imageCount, keptCount, width]) : nil
    }

    private var patchPositions: Range<Int> { layer.positionedPrefix..<layer.positionedPrefix + layer.patchCount }

    /// Images (B, C, height, width) to `tokens`.
    ///
    /// - Parameter kept: the numbers of the patches (B, K) that become tokens, where not all do.
    package func forward(_ images: Tensor, kept: [Int32]? = nil) {
        let table = layer.positions.value
        setPrefix(table)
        engine.patchify(images, patch: layer.patch, into: patches)
        let positions = table.rows(patchPositions)
        if let index, let kept, let visiblePositions {
            index.assign(indices: kept)
            engine.gather(index, of: patches, into: visible)
            engine.gather(index, of: positions, into: visiblePositions)
        }
        engine.embedPatches(
            visible, layer.projection.weights, bias: layer.projection.bias?.value,
            positions: index == nil ? positions : visiblePositions ?? positions, from: layer.prefixCount, into: embedded
        )
        if let norm = layer.norm, let statistics {
            norm.forward(embedded, statistics: statistics, engine: engine, into: tokens)
        }
    }

    private func setPrefix(_ table: Tensor) {
        guard !layer.prefixes.isEmpty else { return }
        for prefix in layer.prefixes {
            let place = self.prefix.rows(prefix.rows)
            engine.repeatTokens(prefix.tokens.value, into: place.reshaped([1] + place.shape))
        }
        let positioned = 0..<layer.positionedPrefix
        engine.add(table.rows(positioned), into: prefix.rows(positioned))
        engine.repeatTokens(prefix, into: embedded)
    }

    /// Adds to the gradients of all that is trained, from those of the tokens (B, P + K, D), which a norm overwrites.
    package func backward(_ d: Tensor) {
        guard let dVisible = visiblePositions else {
            preconditionFailure("TokenEmbedding.backward: the pass was planned without one")
        }
        if let norm = layer.norm, let statistics {
            norm.backward(d, x: embedded, statistics: statistics, dx: d, engine: engine)
        }
        engine.zero(prefix)
        engine.repeatTokensBackward(d, dTokens: prefix)
        for prefix in layer.prefixes {
            guard let gradient = prefix.tokens.gradient else { continue }
            engine.add(self.prefix.rows(prefix.rows), into: gradient)
        }
        engine.copyTokens(layer.prefixCount..<d.shape[1], of: d, into: dVisible)
        if let dTable = layer.positions.gradient {
            let positioned = 0..<layer.positionedPrefix
            engine.add(prefix.rows(positioned), into: dTable.rows(positioned))
            let dPatches = dTable.rows(patchPositions)
            if let index {
                engine.gatherBackward(dVisible, index: index, dTable: dPatches)
            } else {
                engine.repeatTokensBackward(dVisible, dTokens: dPatches)
            }
        }
        layer.projection.backward(dVisible, x: visible, dx: nil, engine: engine)
    }
}
