import Compute
import Layers

/// A Vision Transformer (Dosovitskiy et al. 2021, section 3.1): patches are projected, class token and positions are added,
/// blocks follow, and a linear head reads the class token or the mean of the patches.
package struct VisionTransformer: VisionModel {
    let configuration: ViTConfiguration
    let embedding: TokenEmbedding
    let trunk: Trunk
    let pooling: Pooling
    /// One head, or one each for the class token and the distillation token.
    let heads: [Linear]
    /// What makes vectors to be compared with texts.
    let projection: Linear?
    /// The first blocks that are not trained, and with them the embedding.
    let frozenCount: Int

    package init(_ configuration: ViTConfiguration, _ parts: ModelParts, _ builder: LayerBuilder) throws {
        var configuration = configuration
        var (first, norms) = (builder, true)
        switch parts {
        case .classifier(let count, let frozen):
            frozenCount = count
            if count > 0, let frozen { first = frozen }
        case .features(let layer):
            frozenCount = 0
            if let layer { (configuration.depth, norms) = (layer, false) }
            configuration.classCount = 0
        }
        self.configuration = configuration
        embedding = try configuration.embedding(first)
        let frozenCount = frozenCount
        let blocks = try (0..<configuration.depth).map { index in
            try configuration.block("blocks.\(index)", index < frozenCount ? first : builder)
        }
        trunk = Trunk(blocks, width: configuration.width)
        pooling = Pooling(
            norm: norms && configuration.finalNorm != .absent
                ? try builder.layerNorm(configuration.finalNorm.rawValue, epsilon: configuration.layerNormEpsilon)
                : nil,
            normsTokens: configuration.finalNorm == .beforePooling, prefixCount: configuration.prefixCount,
            attention: norms ? try configuration.attentionPooling(builder) : nil)
        let hasProjection = norms && configuration.projectionWidth > 0
        projection = hasProjection ? try builder.exact.linear("projection", bias: false) : nil
        heads = try configuration.headNames.map { try builder.exact.linear($0) }
    }

    package var headCount: Int { heads.count }

    package func activationCount(keptCount: Int?) -> Int {
        trunk.activationCount(
            tokenCount: configuration.prefixCount + (keptCount ?? configuration.patchCount), frozenCount: frozenCount)
    }

    package func pass(_ plan: VisionPassPlan, in workspace: Workspace) -> any VisionPass {
        Pass(self, plan, in: workspace)
    }

    /// The model with the memory that it works in.
    private struct Pass: VisionPass {
        private let model: VisionTransformer
        private let engine: any Engine
        private let embedding: TokenEmbeddingPass
        private let trunk: TrunkPass
        private let reading: VisionPassPlan.Reading
        private let poolings: [PoolingPass]
        /// What each head reads (B, D) or (B, 2·D), and its gradient.
        private let pooled: [Tensor]
        /// One of the two parts (B, D) of (B, 2·D).
        private let part: Tensor
        private let dPooled: Tensor?
        let logits: [Tensor]
        let features: Tensor
        /// The gradients of the tokens that come out of the trunk, and of those that go in.
        private let dOutput: Tensor?
        private let dTokens: Tensor?

        init(_ model: VisionTransformer, _ plan: VisionPassPlan, in workspace: Workspace) {
            let configuration = model.configuration
            self.model = model
            engine = workspace.engine
            reading = plan.reading
            embedding = TokenEmbeddingPass(
                model.embedding, imageCount: plan.imageCount, keptCount: plan.keptCount, in: workspace)
            trunk = TrunkPass(
                model.trunk, input: embedding.tokens, queryCount: model.queryCount(plan.reading),
                frozenCount: model.frozenCount, in: workspace)
            let (count, width) = (plan.imageCount, configuration.width)
            let tokens = TokenShape(of: trunk.output)
            poolings = (0..<max(1, model.heads.count)).map { _ in
                PoolingPass(model.pooling, over: tokens, in: workspace)
            }
            let pooledWidth = plan.reading == .logits ? configuration.pooledWidth : width
            pooled = poolings.map { _ in workspace.tensor([count, pooledWidth]) }
            part = pooledWidth == width ? pooled[0] : workspace.tensor([count, width])
            logits = model.heads.map { workspace.tensor([count, $0.outputs]) }
            var featureShape: [Int] = [0]
            if case .features(let kind) = plan.reading { featureShape = [count] + configuration.featureShape(kind) }
            features = workspace.tensor(featureShape)
            guard workspace.keepsActivations else {
                (dPooled, dOutput, dTokens) = (nil, nil, nil)
                return
            }
            dPooled = workspace.tensor([count, width])
            let dTokens = workspace.tensor(embedding.tokens.shape)
            self.dTokens = dTokens
            dOutput = trunk.output.count == dTokens.count ? dTokens : workspace.tensor(trunk.output.shape)
        }

        func forward(_ images: Tensor, kept: [Int32]?, paths: DropPath?) {
            embedding.forward(images, kept: kept)
            trunk.forward(paths: paths?.scales)
            switch reading {
            case .logits: readLogits()
            case .features(.projection): readProjection()
            case .features(let kind):
                poolings[0].read(
                    kind, of: trunk.output, prefixCount: model.configuration.prefixCount, part: part,
                    engine: engine, into: features)
            case .blocks: break
            }
        }

        private func readProjection() {
            guard let projection = model.projection else {
                preconditionFailure("VisionTransformer: the model has no projection")
            }
            poolings[0].forward(trunk.output, pooledReading(0), into: pooled[0])
            projection.forward(pooled[0], engine: engine, into: features)
        }

        /// What head `index` reads of the tokens.
        private func pooledReading(_ index: Int) -> Pooling.Reading {
            switch model.configuration.pooling {
            case .classToken: .token(index)
            case .meanPatches, .classTokenAndMean: .meanOfPatches
            case .attention: .attention
            }
        }

        private func readLogits() {
            for (index, head) in model.heads.enumerated() {
                guard model.configuration.pooling != .classTokenAndMean else {
                    poolings[index].read(
                        .classTokenAndMean, of: trunk.output, prefixCount: model.configuration.prefixCount, part: part,
                        engine: engine, into: pooled[index])
                    head.forward(pooled[index], engine: engine, into: logits[index])
                    continue
                }
                poolings[index].forward(trunk.output, pooledReading(index), into: pooled[index])
                head.forward(pooled[index], engine: engine, into: logits[index])
            }
        }

        func backward(paths: DropPath?) {
            guard let dPooled, let dOutput, let dTokens, model.configuration.pooling != .classTokenAndMean else {
                preconditionFailure("VisionTransformer.backward: the pass was planned without one")
            }
            if model.configuration.pooling == .classToken { engine.zero(dOutput) }
            for (index, head) in model.heads.enumerated() {
                head.backward(logits[index], x: pooled[index], dx: dPooled, engine: engine)
                poolings[index].backward(dPooled, x: trunk.output, pooledReading(index), dx: dOutput)
            }
            trunk.backward(dOutput, paths: paths?.scales, dx: dTokens)
            if model.frozenCount == 0 { embedding.backward(dTokens) }
        }

        func forEachBlock(
            _ images: Tensor, through count: Int,
            _ body: (_ block: Int, _ tokens: Tensor, _ weights: (Tensor) -> Bool) -> Void
        ) {
            embedding.forward(images)
            trunk.forEachBlock(through: count, body)
        }
    }

    /// How many of an image's first tokens are all that is read of the last block; nil: more than those.
    private func queryCount(_ reading: VisionPassPlan.Reading) -> Int? {
        guard configuration.depth > frozenCount else { return nil }
        return switch reading {
        case .logits: configuration.pooling == .classToken ? max(1, heads.count) : nil
        case .features(.projection): configuration.pooling == .classToken ? 1 : nil
        case .features(let pooling): pooling == .classToken ? 1 : nil
        case .blocks: nil
        }
    }
}

extension ViTConfiguration {
    /// The parameters' names of the heads.
    package var headNames: [String] {
        classCount == 0 ? [] : hasDistillationToken ? ["head", "head_dist"] : ["head"]
    }

    /// The layer from images to tokens; a stored table of positions is fitted to the grid of patches unless it is trained.
    package func embedding(_ builder: LayerBuilder) throws -> TokenEmbedding {
        let stored = try builder.parameter("pos_embed").matrix(rows: positionRowCount)
        var positions = stored
        if positionGrid != grid {
            precondition(stored.gradient == nil, "ViTConfiguration: a trained table of positions fits the grid")
            let prefix = positionRowCount - positionGrid.height * positionGrid.width
            let values = stored.value.values
            let fitted = PositionResampling.resample(
                Array(values.dropFirst(prefix * width)), width: width, from: positionGrid, to: grid,
                as: positionInterpolation)
            positions = Parameter(
                value: Tensor(Array(values.prefix(prefix * width)) + fitted, shape: [prefix + patchCount, width]))
        }
        var prefixes: [(name: String, count: Int)] = []
        if hasClassToken { prefixes.append(("cls_token", 1)) }
        if hasDistillationToken { prefixes.append(("dist_token", 1)) }
        if registerCount > 0 { prefixes.append(("reg_token", registerCount)) }
        return try TokenEmbedding(
            patch: patchSize, projection: builder.exact.linear("patch_embed.proj", bias: patchBias),
            prefixes: prefixes, positions: positions, patchCount: patchCount,
            norm: hasPreNorm ? builder.layerNorm("norm_pre", epsilon: layerNormEpsilon) : nil, builder)
    }

    /// The attention that makes one vector of the tokens, where the model has it.
    fileprivate func attentionPooling(_ builder: LayerBuilder) throws -> AttentionPooling? {
        guard pooling == .attention else { return nil }
        return try AttentionPooling(
            "attn_pool", heads: heads, epsilon: layerNormEpsilon, activation: activation, builder)
    }

    /// The block whose parameters' names begin with `name`.
    package func block(_ name: String, _ builder: LayerBuilder) throws -> Block {
        func branch(_ number: Int, _ layer: any TokenLayer) throws -> ResidualBranch {
            ResidualBranch(
                norm: try builder.layerNorm("\(name).norm\(number)", epsilon: layerNormEpsilon), layer: layer,
                scale: hasLayerScale ? try builder.parameter("\(name).ls\(number).gamma") : nil)
        }
        return Block([
            try branch(1, SelfAttention("\(name).attn", heads: heads, qkvBias: qkvBias, builder)),
            try branch(2, MLP("\(name).mlp", activation: activation, builder)),
        ])
    }
}
