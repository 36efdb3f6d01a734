import Compute
import Layers

/// The last part of a classifier while it is trained: tokens are pooled and normalised, and one head reads the result,
/// or one head each the class and the distillation token.
struct ClassifierHead: Sendable {
    private let configuration: ViTConfiguration
    private let engine: any Engine
    private let norm: LayerNorm
    private let heads: [Linear]

    init(_ configuration: ViTConfiguration, from source: some ParameterSource, engine: any Engine) throws {
        self.configuration = configuration
        self.engine = engine
        let normName = configuration.finalNorm == .afterPooling ? "fc_norm" : "norm"
        norm = try LayerNorm(normName, epsilon: configuration.layerNormEpsilon, from: source)
        heads = try Self.names(configuration).map { try Linear($0, from: source, engine: engine) }
    }

    private static func names(_ configuration: ViTConfiguration) -> [String] {
        configuration.hasDistillationToken ? ["head", "head_dist"] : ["head"]
    }

    /// The number of heads.
    static func count(_ configuration: ViTConfiguration) -> Int { names(configuration).count }

    /// Tokens (B, N, D), or the first ones that are read, to the logits of each head.
    func forward(_ x: Tensor, workspace: TrainableClassifierWorkspace) {
        for (token, head) in heads.enumerated() {
            pool(x, token: token, workspace: workspace.heads[token], tokens: workspace)
            head.forward(workspace.heads[token].pooled, engine: engine, into: workspace.heads[token].logits)
        }
    }

    /// The norm acts on each token by itself, so that the token of a head may be taken out before it.
    private func pool(_ x: Tensor, token: Int, workspace: HeadWorkspace, tokens: TrainableClassifierWorkspace) {
        switch (configuration.pooling, configuration.finalNorm) {
        case (.classToken, _):
            engine.selectToken(token, of: x, into: workspace.selected)
            norm.forward(workspace.selected, statistics: workspace.statistics, engine: engine, into: workspace.pooled)
        case (.meanPatches, .afterPooling):
            engine.meanTokens(from: configuration.prefixCount, of: x, into: workspace.selected)
            norm.forward(workspace.selected, statistics: workspace.statistics, engine: engine, into: workspace.pooled)
        case (.meanPatches, .beforePooling):
            norm.forward(x, statistics: tokens.tokenStatistics, engine: engine, into: tokens.dTokens)
            engine.meanTokens(from: configuration.prefixCount, of: tokens.dTokens, into: workspace.pooled)
        }
    }

    /// The gradient of the tokens x in `workspace.dEncoded`, from those of the logits, which stand in their place.
    func backward(_ x: Tensor, workspace: TrainableClassifierWorkspace) {
        let d = workspace.dEncoded
        if configuration.pooling == .classToken { engine.clear(d) }
        for (token, head) in heads.enumerated() {
            let place = workspace.heads[token]
            head.backward(place.logits, x: place.pooled, dx: place.dPooled, engine: engine)
            poolBackward(x, token: token, workspace: place, tokens: workspace)
        }
    }

    private func poolBackward(_ x: Tensor, token: Int, workspace: HeadWorkspace, tokens: TrainableClassifierWorkspace) {
        let d = tokens.dEncoded
        let first = configuration.prefixCount
        switch (configuration.pooling, configuration.finalNorm) {
        case (.classToken, _):
            norm.backward(
                workspace.dPooled, x: workspace.selected, statistics: workspace.statistics, dx: workspace.selected,
                engine: engine)
            engine.setToken(token, of: d, to: workspace.selected)
        case (.meanPatches, .afterPooling):
            norm.backward(
                workspace.dPooled, x: workspace.selected, statistics: workspace.statistics, dx: workspace.selected,
                engine: engine)
            engine.meanTokensBackward(workspace.selected, from: first, dx: d)
        case (.meanPatches, .beforePooling):
            engine.meanTokensBackward(workspace.dPooled, from: first, dx: d)
            norm.backward(d, x: x, statistics: tokens.tokenStatistics, dx: d, engine: engine)
        }
    }
}

/// The memory that a head works in.
struct HeadWorkspace: Sendable {
    let selected: Tensor
    let statistics: NormStatistics
    let pooled: Tensor
    let logits: Tensor
    let losses: Tensor
    let dPooled: Tensor

    init(imageCount: Int, width: Int, classCount: Int) {
        selected = Tensor(shape: [imageCount, width])
        statistics = NormStatistics(rowCount: imageCount)
        pooled = Tensor(shape: [imageCount, width])
        logits = Tensor(shape: [imageCount, classCount])
        losses = Tensor(shape: [imageCount])
        dPooled = Tensor(shape: [imageCount, width])
    }
}
