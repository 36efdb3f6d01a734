import Compute
import Imaging
import Models
import Support
import TestTools
import Testing

/// CaiT's checkpoints, as timm saves them.
struct CaiTTests {
    private let directory = Fixture.root + "/timm-cait"

    private func configuration(_ checkpoint: Checkpoint) throws -> CaiTConfiguration {
        try #require(checkpoint.configuration as? CaiTConfiguration)
    }

    @Test func configurationFollowsFromTheFiles() throws {
        let checkpoint = try Checkpoint.open(directory)
        let model = try configuration(checkpoint)
        #expect(checkpoint.family.name == "CaiT" && checkpoint.layout == .timm && checkpoint.assumptions.isEmpty)
        #expect(model.imageSize == Size(height: 16, width: 24) && model.positionImageSize == nil)
        #expect((model.width, model.depth, model.classDepth, model.heads) == (16, 1, 2, 2))
        #expect(model.hiddenWidth == 32 && model.classHiddenWidth == 64 && model.classCount == 5 && !model.poolsPatches)
        #expect(checkpoint.labels == ["ant", "bee", "cicada", "dragonfly", "earwig"])
        #expect(checkpoint.preprocessing.mean == [0.485, 0.456, 0.406])
        #expect(checkpoint.ignored.isEmpty)
    }

    @Test func logitsAndTokensAreThoseOfTimm() throws {
        let checkpoint = try Checkpoint.open(directory)
        let golden = try TensorArchive.open(directory + "/golden.safetensors")
        let (images, engine) = (try golden.tensor("input"), Engines.make(threads: 1))
        let classifier = try Classifier(checkpoint.configuration, from: checkpoint, engine: engine, batchSize: 1)
        #expect(closeness(classifier.logits(images).values, try golden.tensor("logits").values))
        let tokens = try golden.tensor("tokens").values
        let extractor = try FeatureExtractor(
            checkpoint.configuration, pooling: .patches, from: checkpoint, engine: engine, batchSize: 1)
        let patches = Tensor(shape: [1, 24, 16])
        extractor.features(images, into: patches)
        #expect(closeness(patches.values, Array(tokens.dropFirst(16))))
        let both = Tensor(shape: [1, 32])
        try FeatureExtractor(
            checkpoint.configuration, pooling: .classTokenAndMean, from: checkpoint, engine: engine, batchSize: 1
        ).features(images, into: both)
        #expect(closeness(Array(both.values.prefix(16)), Array(tokens.prefix(16))))
    }

    private func closeness(_ got: [Float], _ expected: [Float]) -> Bool { isClose(got, expected, within: 1e-5) }

    @Test func everyTensorSurvivesConversion() throws {
        let scratch = try ScratchDirectory()
        let original = try Checkpoint.open(directory)
        #expect(try original.convert(to: .timm, directory: scratch.path).isEmpty)
        let copy = try Checkpoint.open(scratch.path)
        #expect(try configuration(copy) == configuration(original))
        #expect(copy.labels == original.labels && copy.preprocessing == original.preprocessing)
        for parameter in original.parameterShapes {
            let (one, other) = (try original.tensor(parameter.name), try copy.tensor(parameter.name))
            #expect(one.shape == other.shape && one.values == other.values, "\(parameter.name)")
        }
    }

    @Test(arguments: [ExportLayout.huggingFace, .mae]) func layoutsWithoutSuchAModelAreRefused(_ layout: ExportLayout)
        throws
    {
        let scratch = try ScratchDirectory()
        let checkpoint = try Checkpoint.open(directory)
        let error = #expect(throws: CheckpointError.self) {
            try checkpoint.convert(to: layout, directory: scratch.path + "/out")
        }
        #expect(error?.description.contains("the layout timm can hold it") == true)
        #expect(try Files.kind(of: scratch.path + "/out") == .missing)
    }

    /// A bare state dict: the grid has to be square, and what is assumed is said.
    @Test func withoutAConfigurationTheGridIsSquare() throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(try readFile(directory + "/model.safetensors"), to: "model.safetensors")
        #expect(openingError(path)?.description.contains("24 positions") == true)
    }

    @Test func aTensorThatIsMissingIsNamed() throws {
        let scratch = try ScratchDirectory()
        // Names of one length can change places with nothing else in the file.
        let bytes = try readFile(directory + "/model.safetensors")
        let changed = replacing("blocks.0.attn.proj_w.bias", by: "blocks.0.attn.proj_x.bias", in: bytes)
        let path = try scratch.write(changed, to: "model.safetensors")
        _ = try scratch.write(try readFile(directory + "/config.json"), to: "config.json")
        let error = openingError(path)?.description ?? ""
        #expect(error.contains("lacks blocks.0.attn.proj_w.bias") && error.contains("proj_x"), "\(error)")
    }

    /// What a run records of its model.
    @Test func aConfigurationComesBackFromItsJSON() throws {
        var model = try configuration(Checkpoint.open(directory))
        (model.positionImageSize, model.poolsPatches, model.qkvBias) = (Size(square: 8), true, false)
        let json = ModelFamilies.family(of: model).json(of: model)
        #expect(ModelFamilies.configuration(json) as? CaiTConfiguration == model)
        #expect(ModelFamilies.configuration(.object([])) == nil)
    }
}

private func replacing(_ name: String, by other: String, in bytes: [UInt8]) -> [UInt8] {
    let (name, other) = (Array(name.utf8), Array(other.utf8))
    var bytes = bytes
    for start in 0..<bytes.count - name.count where Array(bytes[start..<start + name.count]) == name {
        bytes.replaceSubrange(start..<start + name.count, with: other)
    }
    return bytes
}
