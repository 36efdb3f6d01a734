import Compute
import Foundation
import Layers
import Models
import Support
import Testing

/// The vectors that an encoder gives, held to the final tokens and hidden states of timm and transformers.
struct FeatureExtractorTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/checkpoints")

    private func features(
        _ name: String, _ pooling: FeaturePooling, layer: Int? = nil, images: Tensor
    ) throws -> [Float] {
        let checkpoint = try checkpoint(name)
        let extractor = try FeatureExtractor(
            checkpoint.configuration, pooling: pooling, layer: layer, from: checkpoint,
            engine: Engines.make(threads: 2), batchSize: 3)
        let result = Tensor(
            shape: [images.shape[0]] + checkpoint.configuration.featureShape(pooling))
        extractor.features(images, into: result)
        return result.values
    }

    /// The checkpoint in a folder of the fixtures, beside its golden.
    private func checkpoint(_ name: String) throws -> Checkpoint {
        let folder = Self.root.appending(path: name).path
        let weights = try Files.names(in: folder).first {
            !$0.hasPrefix("golden") && [".safetensors", ".pth", ".npz", ".bin"].contains(where: $0.hasSuffix)
        }
        return try Checkpoint.open(Files.join(folder, try #require(weights)))
    }

    /// The tokens of one picture, row by row.
    private func rows(_ tensor: Tensor) -> [[Float]] {
        let width = tensor.shape[tensor.shape.count - 1]
        return (0..<tensor.count / width).map { Array(tensor.values[$0 * width..<($0 + 1) * width]) }
    }

    private func mean(_ rows: [[Float]]) -> [Float] {
        rows[0].indices.map { column in
            Float(rows.reduce(0.0) { $0 + Double($1[column]) } / Double(rows.count))
        }
    }

    private func difference(_ actual: [Float], _ expected: [Float]) -> Float {
        guard actual.count == expected.count else { return .infinity }
        return zip(actual, expected).map { ($0 - $1).magnitude }.max() ?? 0
    }

    /// Class, distillation and register tokens are none of the patches.
    @Test(arguments: [
        ("timm-hub", 1), ("timm-deit3", 1), ("timm-registers", 5), ("timm-register-positions", 3),
        ("deit-distilled", 2), ("hf-vit", 1), ("hf-deit", 2), ("hf-deit-one-head", 2), ("hf-mae", 1), ("hf-dinov2", 1),
        ("hf-dinov2-registers", 5), ("mae-full", 1), ("dinov2-original", 5), ("jax", 1),
    ])
    func finalTokensEqualTheReference(_ name: String, prefix: Int) throws {
        let golden = try TensorArchive.open(Self.root.appending(path: "\(name)/golden.safetensors").path)
        let images = try golden.tensor("input")
        let tokens = rows(try golden.tensor("tokens"))
        let patches = Array(tokens[prefix...])
        #expect(difference(try features(name, .classToken, images: images), tokens[0]) < 1e-5)
        #expect(difference(try features(name, .meanPatches, images: images), mean(patches)) < 1e-5)
        #expect(difference(try features(name, .patches, images: images), patches.flatMap { $0 }) < 1e-5)
        let both = try features(name, .classTokenAndMean, images: images)
        #expect(difference(both, tokens[0] + mean(patches)) < 1e-5)
    }

    /// timm's `forward_features` has no norm here; `forward_head(pre_logits=True)` has it after pooling.
    @Test(arguments: ["timm-mean-pooled", "mae-finetuned"])
    func aNormAfterPoolingActsOnThePooledVector(_ name: String) throws {
        let golden = try TensorArchive.open(Self.root.appending(path: "\(name)/golden.safetensors").path)
        let images = try golden.tensor("input")
        let tokens = rows(try golden.tensor("tokens"))
        let patches = Array(tokens[1...])
        #expect(difference(try features(name, .patches, images: images), patches.flatMap { $0 }) < 1e-5)
        // The head on the pooled vector gives the logits.
        let checkpoint = try checkpoint(name)
        let pooled = try features(name, .meanPatches, images: images)
        let weight = rows(try checkpoint.tensor("head.weight"))
        let bias = try checkpoint.tensor("head.bias").values
        let logits = zip(weight, bias).map { row, bias in zip(row, pooled).reduce(bias) { $0 + $1.0 * $1.1 } }
        #expect(difference(logits, try golden.tensor("logits").values) < 1e-5)
    }

    /// Heads on class token and mean (DINOv2), after a batch norm (MAE's linear probe), and as transformers 5 saves ViTMSN.
    @Test(arguments: [
        "hf-dinov2-classifier", "mae-linear-probe", "hf-vit-msn", "torch-legacy", "torch-module", "torch-training",
    ])
    func logitsEqualTheReference(_ name: String) throws {
        let golden = try TensorArchive.open(Self.root.appending(path: "\(name)/golden.safetensors").path)
        let checkpoint = try checkpoint(name)
        let classifier = try Classifier(
            checkpoint.configuration, from: checkpoint, engine: Engines.make(threads: 2), batchSize: 3)
        let logits = classifier.logits(try golden.tensor("input")).values
        #expect(difference(logits, try golden.tensor("logits").values) < 1e-5)
    }

    @Test(arguments: [0, 1, 2])
    func innerLayersAreHiddenStates(_ layer: Int) throws {
        let golden = try Goldens("features-hf-vit")
        let images = try golden["input"]
        let tokens = rows(try golden["hidden/\(layer)"])
        #expect(difference(try features("hf-vit", .classToken, layer: layer, images: images), tokens[0]) < 1e-5)
        let patches = try features("hf-vit", .patches, layer: layer, images: images)
        #expect(difference(patches, tokens[1...].flatMap { $0 }) < 1e-5)
        let average = try features("hf-vit", .meanPatches, layer: layer, images: images)
        #expect(difference(average, mean(Array(tokens[1...]))) < 1e-5)
    }

    @Test func picturesOfABatchDoNotMix() throws {
        let golden = try Goldens("features-hf-vit")
        let one = try golden["input"].values
        let other = one.map { -$0 }
        let batch = Tensor(one + other + one, shape: [3, 3, 16, 16])
        let model = try checkpoint("hf-vit").configuration
        #expect(model.obstacle(to: .attention, afterBlocks: nil) == "no attention pooling")
        for pooling in FeaturePooling.allCases where model.obstacle(to: pooling, afterBlocks: nil) == nil {
            let all = try features("hf-vit", pooling, images: batch)
            let first = try features("hf-vit", pooling, images: Tensor(one, shape: [1, 3, 16, 16]))
            let second = try features("hf-vit", pooling, images: Tensor(other, shape: [1, 3, 16, 16]))
            #expect(all == first + second + first)
        }
    }
}
