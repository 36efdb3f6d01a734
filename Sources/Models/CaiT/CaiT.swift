import Compute
import Layers

/// CaiT (Touvron et al. 2021, "Going deeper with image transformers"): blocks with talking heads over patches alone, then
/// blocks that compute the class token alone.
struct CaiT: VisionModel {
    let configuration: CaiTConfiguration
    let embedding: TokenEmbedding
    let trunk: Trunk
    let classToken: Parameter
    let classBlocks: Trunk
    let pooling: Pooling
    let head: Linear?
    /// The first blocks that are not trained, and with them embedding and class token.
    let frozenCount: Int

    init(_ configuration: CaiTConfiguration, _ parts: ModelParts, _ builder: LayerBuilder) throws {
        var configuration = configuration
        var (first, norms, frozenCount) = (builder, true, 0)
        switch parts {
        case .classifier(let count, let frozen):
            frozenCount = count
            if count > 0, let frozen { first = frozen }
        case .features(let layer):
            if let layer { (configuration.depth, configuration.classDepth, norms) = (layer, 0, false) }
            configuration.classCount = 0
        }
        self.configuration = configuration
        self.frozenCount = frozenCount
        embedding = try configuration.embedding(first)
        classToken = try first.parameter("cls_token").asMatrix
        var blocks: [Block] = []
        for index in 0..<configuration.depth {
            blocks.append(try configuration.block(index, index < frozenCount ? first : builder))
        }
        trunk = Trunk(blocks, width: configuration.width)
        classBlocks = Trunk(
            try (0..<configuration.classDepth).map { try configuration.classBlock($0, builder) },
            width: configuration.width)
        let norm = norms ? try builder.layerNorm("norm", epsilon: CaiTConfiguration.layerNormEpsilon) : nil
        pooling = Pooling(norm: norm, normsTokens: true, prefixCount: 1)
        head = configuration.classCount > 0 ? try builder.exact.linear("head") : nil
    }

    var headCount: Int { head == nil ? 0 : 1 }

    func activationCount(keptCount: Int?) -> Int {
        let count = keptCount ?? configuration.patchCount
        return trunk.activationCount(tokenCount: count, frozenCount: frozenCount)
            + classBlocks.activationCount(tokenCount: 1 + count)
    }

    func pass(_ plan: VisionPassPlan, in workspace: Workspace) -> any VisionPass {
        CaiTPass(self, plan, in: workspace)
    }
}

extension CaiTConfiguration {
    /// The layer from images to patch tokens; the table of positions is fitted to the grid unless it is trained.
    fileprivate func embedding(_ builder: LayerBuilder) throws -> TokenEmbedding {
        let stored = try builder.parameter("pos_embed").matrix(rows: positionGrid.height * positionGrid.width)
        var positions = stored
        if positionGrid != grid {
            precondition(stored.gradient == nil, "CaiTConfiguration: a trained table of positions fits the grid")
            let fitted = PositionResampling.resample(
                stored.value.values, width: width, from: positionGrid, to: grid, as: .timm)
            positions = Parameter(value: Tensor(fitted, shape: [patchCount, width]))
        }
        return try TokenEmbedding(
            patch: patchSize, projection: builder.exact.linear("patch_embed.proj"), prefixes: [], positions: positions,
            patchCount: patchCount, builder)
    }

    fileprivate func block(_ index: Int, _ builder: LayerBuilder) throws -> Block {
        let name = "blocks.\(index)"
        return try block(name, TalkingHeadsAttention("\(name).attn", qkvBias: qkvBias, builder), builder)
    }

    fileprivate func classBlock(_ index: Int, _ builder: LayerBuilder) throws -> Block {
        let name = "blocks_token_only.\(index)"
        return try block(name, ClassAttention("\(name).attn", heads: heads, qkvBias: qkvBias, builder), builder)
    }

    private func block(_ name: String, _ attention: some TokenLayer, _ builder: LayerBuilder) throws -> Block {
        func branch(_ number: Int, _ layer: any TokenLayer) throws -> ResidualBranch {
            ResidualBranch(
                norm: try builder.layerNorm("\(name).norm\(number)", epsilon: Self.layerNormEpsilon), layer: layer,
                scale: try builder.parameter("\(name).gamma_\(number)"))
        }
        return Block([try branch(1, attention), try branch(2, MLP("\(name).mlp", activation: .gelu, builder))])
    }
}

/// A CaiT with the memory that it works in.
private struct CaiTPass: VisionPass {
    private let model: CaiT
    private let engine: any Engine
    private let reading: VisionPassPlan.Reading
    private let embedding: TokenEmbeddingPass
    private let trunk: TrunkPass
    /// The class token, as the last block left it, and the patches (B, 1 + L, D).
    private let tokens: Tensor
    private let classBlocks: [BlockPass]
    private let pooling: PoolingPass
    private let pooled: Tensor
    let logits: [Tensor]
    let features: Tensor
    // For the backward pass: the gradients of pooled, tokens (B, 1 + L, D), class token (B, 1, D) and patches (B, L, D).
    private let dPooled: Tensor
    private let dTokens: Tensor
    private let dClass: Tensor
    private let dPatches: Tensor
    private let dMore: Tensor

    init(_ model: CaiT, _ plan: VisionPassPlan, in workspace: Workspace) {
        let (count, width) = (plan.imageCount, model.configuration.width)
        self.model = model
        engine = workspace.engine
        reading = plan.reading
        embedding = TokenEmbeddingPass(
            model.embedding, imageCount: count, keptCount: plan.keptCount, in: workspace)
        trunk = TrunkPass(
            model.trunk, input: embedding.tokens, frozenCount: model.frozenCount, in: workspace)
        let patches = trunk.output.shape
        let all = [count, 1 + patches[1], width]
        let tokens = workspace.tensor(all)
        self.tokens = tokens
        classBlocks = model.classBlocks.blocks.map { BlockPass($0, input: tokens, queryCount: 1, in: workspace) }
        pooling = PoolingPass(model.pooling, over: TokenShape(of: tokens), in: workspace)
        pooled = workspace.tensor([count, width])
        logits = model.head.map { [workspace.tensor([count, $0.outputs])] } ?? []
        var featureShape: [Int] = [0]
        if case .features(let kind) = plan.reading {
            featureShape = [count] + model.configuration.featureShape(kind)
        }
        features = workspace.tensor(featureShape)
        let keeps = workspace.keepsActivations
        dPooled = workspace.tensor(keeps ? [count, width] : [0])
        dTokens = workspace.tensor(keeps ? all : [0])
        dClass = workspace.tensor(keeps ? [count, 1, width] : [0])
        dPatches = workspace.tensor(keeps ? patches : [0])
        dMore = workspace.tensor(keeps ? patches : [0])
    }

    private var patchRange: Range<Int> { 1..<tokens.shape[1] }

    func forward(_ images: Tensor, kept: [Int32]?, paths: DropPath?) {
        embedding.forward(images, kept: kept)
        trunk.forward(paths: paths?.scales)
        engine.setTokens(patchRange, of: tokens, to: trunk.output)
        setClassToken()
        for block in classBlocks {
            block.forward(tokens, paths: nil)
            engine.setTokens(0..<1, of: tokens, to: block.output)
        }
        switch reading {
        case .logits: readLogits()
        case .features(let kind):
            pooling.read(kind, of: tokens, prefixCount: 1, part: pooled, engine: engine, into: features)
        case .blocks: break
        }
    }

    /// The trained class token in front of every image's patches.
    private func setClassToken() { engine.repeatTokens(model.classToken.value, into: tokens) }

    private var headReading: Pooling.Reading { model.configuration.poolsPatches ? .meanOfPatches : .token(0) }

    private func readLogits() {
        guard let head = model.head else { return }
        pooling.forward(tokens, headReading, into: pooled)
        head.forward(pooled, engine: engine, into: logits[0])
    }

    func backward(paths: DropPath?) {
        guard let head = model.head else { preconditionFailure("CaiT.backward: there is no head to train") }
        engine.zero(dTokens)
        head.backward(logits[0], x: pooled, dx: dPooled, engine: engine)
        pooling.backward(dPooled, x: tokens, headReading, dx: dTokens)
        engine.copyTokens(0..<1, of: dTokens, into: dClass)
        engine.copyTokens(patchRange, of: dTokens, into: dPatches)
        for index in classBlocks.indices.reversed() {
            // The class token that the block read.
            if index == 0 {
                setClassToken()
            } else {
                engine.setTokens(0..<1, of: tokens, to: classBlocks[index - 1].output)
            }
            classBlocks[index].backward(dClass, x: tokens, paths: nil, dx: dTokens)
            engine.copyTokens(0..<1, of: dTokens, into: dClass)
            engine.copyTokens(patchRange, of: dTokens, into: dMore)
            engine.add(dMore, into: dPatches)
        }
        if let gradient = model.classToken.gradient { engine.repeatTokensBackward(dClass, dTokens: gradient) }
        trunk.backward(dPatches, paths: paths?.scales, dx: dPatches)
        if model.frozenCount == 0 { embedding.backward(dPatches) }
    }

    func forEachBlock(
        _ images: Tensor, through count: Int,
        _ body: (_ block: Int, _ tokens: Tensor, _ weights: (Tensor) -> Bool) -> Void
    ) {
        embedding.forward(images)
        trunk.forEachBlock(through: count, body)
    }
}
