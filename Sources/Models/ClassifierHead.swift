import Compute
import Layers

/// The last part of a classifier while it is trained: tokens are pooled and normalised, and one head reads the result,
/// or one head each the class and the distillation token.
struct ClassifierHead: Sendable {
    private let configuration: ViTConfiguration
    private let engine: any TrainingEngine
    private let norm: LayerNorm
    private let heads: [Linear]

    init(_ configuration: ViTConfiguration, from source: some ParameterSource, engine: any TrainingEngine) throws {
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
    func forward(_ x: Tensor, room: TrainableClassifierRoom) {
        for (token, head) in heads.enumerated() {
            pool(x, token: token, room: room.heads[token], tokens: room)
            head.forward(room.heads[token].pooled, engine: engine, into: room.heads[token].logits)
        }
    }

    /// The norm acts on each token by itself, so that the token of a head may be taken out before it.
    private func pool(_ x: Tensor, token: Int, room: HeadRoom, tokens: TrainableClassifierRoom) {
        switch (configuration.pooling, configuration.finalNorm) {
        case (.classToken, _):
            engine.selectToken(token, of: x, into: room.selected)
            norm.forward(room.selected, statistics: room.statistics, engine: engine, into: room.pooled)
        case (.meanPatches, .afterPooling):
            engine.meanTokens(from: configuration.prefixCount, of: x, into: room.selected)
            norm.forward(room.selected, statistics: room.statistics, engine: engine, into: room.pooled)
        case (.meanPatches, .beforePooling):
            norm.forward(x, statistics: tokens.tokenStatistics, engine: engine, into: tokens.dTokens)
            engine.meanTokens(from: configuration.prefixCount, of: tokens.dTokens, into: room.pooled)
        }
    }

    /// The gradient of the tokens x in `room.dEncoded`, from those of the logits, which stand in their place.
    func backward(_ x: Tensor, room: TrainableClassifierRoom) {
        let d = room.dEncoded
        if configuration.pooling == .classToken { engine.clear(d) }
        for (token, head) in heads.enumerated() {
            let place = room.heads[token]
            head.backward(place.logits, x: place.pooled, dx: place.dPooled, engine: engine)
            poolBackward(x, token: token, room: place, tokens: room)
        }
    }

    private func poolBackward(_ x: Tensor, token: Int, room: HeadRoom, tokens: TrainableClassifierRoom) {
        let d = tokens.dEncoded
        let first = configuration.prefixCount
        switch (configuration.pooling, configuration.finalNorm) {
        case (.classToken, _):
            norm.backward(
                room.dPooled, x: room.selected, statistics: room.statistics, dx: room.selected, engine: engine)
            engine.setToken(token, of: d, to: room.selected)
        case (.meanPatches, .afterPooling):
            norm.backward(
                room.dPooled, x: room.selected, statistics: room.statistics, dx: room.selected, engine: engine)
            engine.meanTokensBackward(room.selected, from: first, dx: d)
        case (.meanPatches, .beforePooling):
            engine.meanTokensBackward(room.dPooled, from: first, dx: d)
            norm.backward(d, x: x, statistics: tokens.tokenStatistics, dx: d, engine: engine)
        }
    }
}

/// The memory that a head works in.
struct HeadRoom: Sendable {
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
