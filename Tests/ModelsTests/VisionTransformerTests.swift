import Compute
import Layers
import Models
import Support
import Testing

@Suite struct VisionTransformerTests {
    static func configuration(_ name: String) -> ViTConfiguration {
        var configuration = ViTConfiguration()
        configuration.imageSize = Size(height: 8, width: 12)
        configuration.patchSize = Size(square: 4)
        configuration.width = 12
        configuration.depth = 1
        configuration.heads = 3
        configuration.hiddenWidth = 48
        configuration.classCount = 5
        switch name {
        case "distilled", "distillation-hard", "distillation-soft":
            configuration.hasDistillationToken = true
        case "grey-no-bias-tanh":
            configuration.inputChannels = 1
            configuration.qkvBias = false
            configuration.activation = .geluTanh
        case "mean", "drop-path-mean":
            configuration.pooling = .meanPatches
            configuration.finalNorm = .afterPooling
        case "mean-norm-before":
            configuration.pooling = .meanPatches
        case "mean-no-norm":
            (configuration.pooling, configuration.finalNorm) = (.meanPatches, .absent)
        case "clip":
            (configuration.hasPreNorm, configuration.patchBias) = (true, false)
            (configuration.activation, configuration.layerNormEpsilon) = (.quickGELU, 1e-5)
        case "map-registers":
            (configuration.registerCount, configuration.prefixHasPosition) = (1, false)
            configuration.pooling = .attention
        case "siglip":
            (configuration.hasClassToken, configuration.pooling) = (false, .attention)
        case "registers", "drop-path":
            configuration.registerCount = 2
            configuration.prefixHasPosition = false
            configuration.hasLayerScale = true
        default:
            break
        }
        return configuration
    }

    @Test(arguments: [
        "token", "distilled", "grey-no-bias-tanh", "mean", "mean-norm-before", "mean-no-norm", "registers",
        "clip", "siglip", "map-registers",
    ])
    func logitsAgreeWithTimm(name: String) throws {
        let goldens = try Goldens("classifier-\(name)")
        var configuration = Self.configuration(name)
        configuration.depth = goldens.names(under: "weights/blocks.").filter { $0.hasSuffix("norm1.bias") }.count
        configuration.hiddenWidth = try goldens["weights/blocks.0.mlp.fc1.bias"].count
        let pixels = try goldens["pixels"]
        let wanted = try goldens["logits"].values
        for batchSize in [1, 2, 3] {
            let model = try Classifier(
                configuration, from: goldens, engine: Engines.make(threads: 2), batchSize: batchSize)
            #expect(largestDifference(model.logits(pixels).values, wanted) < 1e-5)
        }
    }
}
