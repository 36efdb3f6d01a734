import Models
import Support
import Training
import Testing

/// The vision towers of CLIP and SigLIP are fine-tuned with a fresh head, as timm's are.
struct TowerTests {
    private static func checkpoint(_ name: String) -> String {
        #filePath.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" } + "/Fixtures/towers/" + name
    }

    private func run(_ name: String) throws -> TinyClassRun {
        var run = try TinyClassRun()
        run.options.initial = Self.checkpoint(name)
        (run.options.width, run.options.depth, run.options.heads) = (nil, nil, nil)
        (run.options.imageSize, run.options.patchSize) = (nil, nil)
        return run
    }

    @Test(arguments: ["hf-clip", "hf-siglip", "open-clip", "hf-clip-vision"])
    func fineTuningResumesToTheSameBits(name: String) throws {
        let notes = Notes()
        let whole = try run(name)
        try whole.train(notes: notes)
        #expect(notes.sentences.contains { $0.contains("the head starts afresh: the checkpoint has none") })
        let broken = try run(name)
        try broken.train(stop: 7)
        try broken.train(resumes: true, threads: 1)
        #expect(try whole.weights() == broken.weights())
        let result = try Checkpoint.open(whole.output + "/model")
        let origin = try Checkpoint.open(Self.checkpoint(name))
        let model = try #require(result.configuration as? ViTConfiguration)
        let tower = try #require(origin.configuration.backbone as? ViTConfiguration)
        #expect(model.classCount == 3 && model.projectionWidth == 0 && result.labels == TinyClassRun.classes)
        #expect(model.pooling == (name == "hf-siglip" ? .attention : .classToken) && result.layout == .timm)
        #expect((model.hasPreNorm, model.patchBias) == (tower.hasPreNorm, tower.patchBias))
        #expect(model.activation == tower.activation && model.layerNormEpsilon == tower.layerNormEpsilon)
        let trained =
            ["patch_embed.proj.weight", "blocks.0.mlp.fc1.weight"]
            + (name == "hf-siglip" ? ["attn_pool.latent", "attn_pool.kv.weight"] : ["norm_pre.weight"])
        for name in trained {
            #expect(try result.tensor(name).values != origin.tensor(name).values, "\(name)")
        }
    }

    /// With the mean of the patches, the result is a classifier of transformers, from which training goes on.
    @Test(arguments: ["hf-clip", "hf-siglip", "open-clip", "hf-clip-classifier", "hf-siglip-classifier"])
    func meansOfPatchesMakeClassifiersOfTransformers(name: String) throws {
        let isClassifier = name.hasSuffix("classifier")
        var whole = try run(name)
        // The classifiers' own pooling is taken over.
        whole.options.pooling = isClassifier ? nil : .meanPatches
        let notes = Notes()
        try whole.train(notes: notes)
        #expect(!notes.sentences.contains { $0.contains("timm's layout") || $0.contains("norm starts afresh") })
        var broken = try run(name)
        broken.options.pooling = whole.options.pooling
        try broken.train(stop: 7)
        try broken.train(resumes: true, threads: 1)
        #expect(try whole.weights() == broken.weights())
        let result = try Checkpoint.open(whole.output + "/model")
        let model = try #require(result.configuration as? ViTConfiguration)
        #expect(result.layout == .huggingFace && result.labels == TinyClassRun.classes)
        #expect(model.pooling == .meanPatches && model.classCount == 3)
        #expect(model.finalNorm == (name.contains("siglip") ? .beforePooling : .absent))
    }
}
