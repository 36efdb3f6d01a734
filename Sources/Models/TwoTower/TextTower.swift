import Compute
import Layers

/// A text tower (Radford et al. 2021, section 2.4): tokens are embedded, positions are added, blocks follow, and one token is
/// normalised and projected.
struct TextTower: Sendable {
    let configuration: TextTowerConfiguration
    /// The vectors of the vocabulary (V, D).
    let vocabulary: Tensor
    /// (context length, D)
    let positions: Tensor
    let trunk: Trunk
    let norm: LayerNorm
    let projection: Linear?

    init(_ configuration: TextTowerConfiguration, _ builder: LayerBuilder) throws {
        let prefix = TextTowerConfiguration.prefix
        self.configuration = configuration
        vocabulary = try builder.parameter("\(prefix)token_embed.weight").value
        positions = try builder.parameter("\(prefix)pos_embed").value
        trunk = Trunk(
            try (0..<configuration.depth).map { try configuration.block("\(prefix)blocks.\($0)", builder) },
            width: configuration.width)
        norm = try builder.layerNorm("\(prefix)norm", epsilon: configuration.layerNormEpsilon)
        projection =
            configuration.projectionWidth > 0
            ? try builder.exact.linear("\(prefix)projection", bias: configuration.projectionBias) : nil
    }
}

extension TextTowerConfiguration {
    fileprivate func block(_ name: String, _ builder: LayerBuilder) throws -> Block {
        func branch(_ number: Int, _ layer: any TokenLayer) throws -> ResidualBranch {
            ResidualBranch(
                norm: try builder.layerNorm("\(name).norm\(number)", epsilon: layerNormEpsilon), layer: layer,
                scale: hasLayerScale ? try builder.parameter("\(name).ls\(number).gamma") : nil)
        }
        let attention: any TokenLayer =
            isCausal
            ? try CausalSelfAttention("\(name).attn", heads: heads, builder)
            : try SelfAttention("\(name).attn", heads: heads, qkvBias: true, builder)
        return Block([
            try branch(1, attention), try branch(2, MLP("\(name).mlp", activation: activation, builder)),
        ])
    }
}

/// A text tower with the memory that it works in: texts of one length.
struct TextTowerPass: Sendable {
    private let tower: TextTower
    private let engine: any Engine
    private let index: Tensor  // (T, N) of row numbers
    private let embedded: Tensor  // (T, N, D)
    private let tokens: Tensor  // (T, N, D)
    private let trunk: TrunkPass
    private let place: Tensor  // (T, 1) of row numbers
    private let pooled: Tensor  // (T, 1, D)
    private let statistics: LayerNorm.Statistics

    init(_ tower: TextTower, textCount: Int, length: Int, in workspace: Workspace) {
        let width = tower.configuration.width
        self.tower = tower
        engine = workspace.engine
        index = workspace.tensor([textCount, length], type: .int32)
        embedded = workspace.shared("normed", [textCount, length, width])
        tokens = workspace.tensor([textCount, length, width])
        trunk = TrunkPass(tower.trunk, input: tokens, in: workspace)
        place = workspace.tensor([textCount, 1], type: .int32)
        pooled = workspace.tensor([textCount, 1, width])
        statistics = LayerNorm.statistics(textCount, isKept: false, in: workspace)
    }

    /// Texts of one length to embeddings (T, P).
    ///
    /// - Parameter places: of each text, the token that stands for it.
    func forward(_ texts: [ArraySlice<Int32>], places: [Int32], into embeddings: Tensor) {
        let (count, length) = (texts.count, tokens.shape[1])
        index.assign(indices: Array(texts.joined()))
        engine.gather(index, of: tower.vocabulary.reshaped([1] + tower.vocabulary.shape), into: embedded)
        engine.repeatTokens(tower.positions.rows(0..<length), into: tokens)
        engine.add(embedded, into: tokens)
        trunk.forward()
        place.assign(indices: places)
        engine.gather(place, of: trunk.output, into: pooled)
        let normed = tower.projection == nil ? embeddings.reshaped(pooled.shape) : pooled
        tower.norm.forward(pooled, statistics: statistics, engine: engine, into: normed)
        tower.projection?.forward(
            pooled.reshaped([count, tower.configuration.width]), engine: engine, into: embeddings)
    }
}
