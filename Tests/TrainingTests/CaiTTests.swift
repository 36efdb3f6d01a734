import Models
import Support
import Training
import Testing

/// A family that options do not describe is fine-tuned from its checkpoint.
struct CaiTTests {
    private static let checkpoint =
        #filePath.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" } + "/Fixtures/checkpoints/timm-cait"

    private func run() throws -> TinyClassRun {
        var run = try TinyClassRun()
        run.options.initial = Self.checkpoint
        (run.options.width, run.options.depth, run.options.heads) = (nil, nil, nil)
        (run.options.imageSize, run.options.patchSize) = (nil, nil)
        return run
    }

    @Test func fineTuningResumesToTheSameBits() throws {
        let notes = Notes()
        let whole = try run()
        try whole.train(notes: notes)
        #expect(notes.sentences.contains { $0.contains("the head starts afresh") })
        #expect(notes.sentences.contains { $0.contains("transformers has no model with class attention") })
        let broken = try run()
        try broken.train(stop: 7)
        try broken.train(resumes: true, threads: 1)
        #expect(try whole.weights() == broken.weights())
        let result = try Checkpoint.open(whole.output + "/model")
        let model = try #require(result.configuration as? CaiTConfiguration)
        #expect(model.classCount == 3 && model.imageSize == Size(height: 16, width: 24) && result.layout == .timm)
        #expect(result.labels == TinyClassRun.classes)
        for name in ["blocks.0.attn.proj_l.weight", "blocks_token_only.0.attn.q.weight", "cls_token"] {
            #expect(try result.tensor(name).values != Checkpoint.open(Self.checkpoint).tensor(name).values, "\(name)")
        }
    }

    @Test func positionsAreFittedToOtherImages() throws {
        var run = try run()
        run.options.imageSize = Size(square: 24)
        let notes = Notes()
        try run.train(notes: notes)
        #expect(notes.sentences.contains { $0.contains("interpolated from 4 × 6 patches to 6 × 6") })
        let result = try Checkpoint.open(run.output + "/model")
        #expect(
            try result.configuration.imageSize == Size(square: 24) && result.tensor("pos_embed").shape == [1, 36, 16])
    }

    @Test func whatDescribesAnotherFamilyIsRefused() throws {
        var wide = try run()
        wide.options.width = 32
        let error = #expect(throws: TrainingError.self) { try wide.train() }
        #expect(error?.description.contains("--width describes a Vision Transformer; a CaiT keeps the shape") == true)
        var distilled = try run()
        distilled.options.teacher = Self.checkpoint
        let refusal = #expect(throws: TrainingError.self) { try distilled.train() }
        #expect(refusal?.description.contains("--teacher needs a distillation token") == true)
        var pretraining = try TinyRun()
        pretraining.options.initial = Self.checkpoint
        (pretraining.options.width, pretraining.options.depth, pretraining.options.heads) = (nil, nil, nil)
        (pretraining.options.imageSize, pretraining.options.patchSize) = (nil, nil)
        let other = #expect(throws: CheckpointError.self) { try pretraining.train() }
        #expect(other?.description.contains("holds a CaiT; this works with Vision Transformers alone") == true)
    }

    /// A run of a Vision Transformer records no other model, and one of a CaiT nothing of a Vision Transformer.
    @Test func theModelIsRecordedOnce() throws {
        let run = try run()
        try run.train()
        let json = try JSON.file(run.output + "/config.json")
        #expect(json["model"]?["family"]?.string == "CaiT" && json["qkv_bias"] == nil && json["image_size"] != nil)
        let vit = try TinyClassRun()
        try vit.train()
        let other = try JSON.file(vit.output + "/config.json")
        #expect(other["model"] == nil && other["qkv_bias"]?.bool == true)
    }
}
