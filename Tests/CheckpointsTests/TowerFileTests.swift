import Compute
import Foundation
import Models
import Support
import TestTools
import Testing

/// What of CLIP's and SigLIP's files is read, refused and written.
struct TowerFileTests {
    /// A copy of a fixture's tensors and files, with changes.
    private func copy(
        _ fixture: TowerFixture, to scratch: ScratchDirectory, settings: (String, String)? = nil,
        changing: (inout [(name: String, tensor: Tensor)]) -> Void = { _ in }
    ) throws -> String {
        let weights = try #require(try Files.names(in: fixture.directory).first { $0.contains("model.safetensors") })
        let archive = try TensorArchive.open(fixture.directory + "/" + weights)
        var tensors: [(name: String, tensor: Tensor)] = []
        for description in archive.tensors { tensors.append((description.name, try archive.tensor(description.name))) }
        changing(&tensors)
        try TensorArchive.write(tensors, to: scratch.path + "/" + weights)
        var isChanged = settings == nil
        for name in try Files.names(in: fixture.directory) where name.hasSuffix("config.json") {
            var text = String(decoding: try readFile(fixture.directory + "/" + name), as: UTF8.self)
            if let settings, text.contains(settings.0) {
                isChanged = true
                text = text.replacing(settings.0, with: settings.1)
            }
            try scratch.write(text, to: name)
        }
        #expect(isChanged)
        return scratch.path
    }

    @Test func numberingsAndMasksAreSkipped() throws {
        let scratch = try ScratchDirectory()
        let path = try copy(.hfCLIP, to: scratch) { tensors in
            for tower in ["text_model", "vision_model"] {
                tensors.append(("\(tower).embeddings.position_ids", Tensor(shape: [1, 12])))
            }
        }
        let ignored = try Checkpoint.open(path).ignored
        #expect(
            ignored.map(\.name).count == 2
                && ignored.allSatisfy { $0.reason == "a numbering of positions, not a weight" })
    }

    /// As transformers 5 may keep them, beside those of texts.
    @Test func settingsOfImagesAmongThoseOfAProcessor() throws {
        let scratch = try ScratchDirectory()
        let path = try copy(.hfSigLIP, to: scratch)
        let own = String(decoding: try scratch.read("preprocessor_config.json"), as: UTF8.self)
        try scratch.write("{\"image_processor\": \(own)}", to: "processor_config.json")
        try FileManager.default.removeItem(atPath: path + "/preprocessor_config.json")
        let checkpoint = try Checkpoint.open(path)
        #expect(try checkpoint.preprocessing == TowerFixture.hfSigLIP.checkpoint.preprocessing)
        #expect(checkpoint.assumptions.isEmpty)
    }

    /// A SigLIP without its head gives texts nothing to be compared with.
    @Test func imagesWithoutAPoolingAreRefused() throws {
        let scratch = try ScratchDirectory()
        let path = try copy(.hfSigLIP, to: scratch) { tensors in
            tensors.removeAll { $0.name.hasPrefix("vision_model.head.") }
        }
        #expect(openingError(path)?.description.contains("no attention pooling of images") == true)
    }

    @Test func tensorsAreAccountedFor() throws {
        for (name, words) in [
            ("vision_model.pre_layrnorm.bias", "lacks vision_model.pre_layrnorm.bias"),
            (
                "text_model.encoder.layers.0.self_attn.k_proj.bias",
                "lacks text_model.encoder.layers.0.self_attn.k_proj.bias"
            ),
            ("logit_scale", "lacks logit_scale"),
        ] {
            let scratch = try ScratchDirectory()
            let path = try copy(.hfCLIP, to: scratch) { tensors in tensors.removeAll { $0.name == name } }
            #expect(openingError(path)?.description.contains(words) == true, "\(name)")
        }
        let scratch = try ScratchDirectory()
        let path = try copy(.hfCLIP, to: scratch) { $0.append(("text_model.extra.weight", Tensor(shape: [1]))) }
        #expect(
            openingError(path)?.description.contains("belong to no part of the model: text_model.extra.weight") == true)
    }

    @Test(
        arguments: [
            (
                TowerFixture.hfCLIP, "\"hidden_act\": \"quick_gelu\"", "\"hidden_act\": \"relu\"",
                "states the activation relu"
            ),
            (.hfCLIP, "\"model_type\": \"clip\"", "\"model_type\": \"blip\"", "siglip_vision_model can be read"),
            (.hfCLIP, "\"vocab_size\": 40", "\"vocab_size\": 41", "states a vocab_size of 41 for the text tower"),
            (.hfCLIP, "\"image_size\": 16", "\"image_size\": 32", "has 5 positions in its vision tower"),
            (.hfCLIP, "\"num_attention_heads\": 2", "\"num_attention_heads\": 5", "5 attention heads"),
            (.hfCLIP, "\"patch_size\": 8", "\"patch_size\": 8, \"sparkle\": 1", "states sparkle as 1"),
            (.hfCLIP, "\"layer_norm_eps\": 1e-05", "\"layer_norm_eps\": -1", "states a layer_norm_eps of -1"),
            (.hfCLIP, "\"eos_token_id\": 39", "\"eos_token_id\": [39]", "states an eos_token_id of [39]"),
            (.openCLIP, "\"quick_gelu\": true", "\"quick_gelu\": true, \"sparkle\": 1", "states sparkle as 1"),
            (.hfCLIPClassifier, "\"2\": \"blue\"", "\"3\": \"blue\"", "names a class 3 in id2label"),
            (
                .hfSigLIPClassifier, "\"multi_label_classification\"", "\"sparkling\"",
                "states a problem_type of \"sparkling\""
            ),
            (.openCLIP, "\"layers\": 1", "\"layers\": 2", "states a layers of 2, the tensors have 1"),
            (
                .openCLIPSigLIP, "\"timm_pool\": \"map\"", "\"timm_pool\": \"avg\"",
                "states the pooling \"avg\" of images"
            ),
            (.openCLIPSigLIP, "\"squash\"", "\"longest\"", "resize_mode longest"),
        ])
    func settingsThatDoNotFitAreRefused(_ fixture: TowerFixture, _ old: String, _ new: String, _ words: String) throws {
        let scratch = try ScratchDirectory()
        let path = try copy(fixture, to: scratch, settings: (old, new))
        let error = openingError(path)?.description ?? ""
        #expect(error.contains(words), "\(error)")
    }

    /// Which GELU it is, no tensor shows.
    @Test(arguments: [TowerFixture.hfCLIP, .hfSigLIPVision, .openCLIP])
    func weightsWithoutAConfigurationAreRefused(_ fixture: TowerFixture) throws {
        let scratch = try ScratchDirectory()
        let path = try copy(fixture, to: scratch)
        let weights = try #require(try Files.names(in: path).first { $0.hasSuffix(".safetensors") })
        let alone = try ScratchDirectory()
        try alone.write(try readFile(path + "/" + weights), to: weights)
        let error = openingError(alone.path)?.description ?? ""
        #expect(error.contains("which says which GELU it has, was expected"), "\(error)")
    }

    /// Older transformers put the tower's name before its tensors.
    @Test func visionTowersUnderTheirOldNames() throws {
        let scratch = try ScratchDirectory()
        let path = try copy(.hfCLIPVisionBare, to: scratch) { tensors in
            tensors = tensors.map { (name: "vision_model." + $0.name, tensor: $0.tensor) }
        }
        let (old, new) = (try Checkpoint.open(path), try TowerFixture.hfCLIPVisionBare.checkpoint)
        #expect(old.configuration as? ViTConfiguration == new.configuration as? ViTConfiguration)
        #expect(try old.tensor("norm_pre.weight").values == new.tensor("norm_pre.weight").values)
    }

    // MARK: Conversion

    @Test(
        arguments: [
            (TowerFixture.hfCLIP, ExportLayout.openCLIP), (.hfCLIP, .huggingFace), (.hfSigLIP, .huggingFace),
            (.openCLIP, .huggingFace), (.openCLIP, .openCLIP), (.openCLIPCustom, .openCLIP),
            (.openCLIPSigLIP, .huggingFace), (.hfCLIPVision, .huggingFace), (.hfSigLIPVision, .huggingFace),
            (.hfSigLIPVision, .timm), (.timmCLIP, .timm), (.timmSigLIP, .timm), (.hfCLIPClassifier, .huggingFace),
            (.hfSigLIPClassifier, .huggingFace), (.hfSigLIPClassifier, .timm), (.hfCLIPClassifier, .timm),
        ])
    func everyTensorSurvivesConversion(_ fixture: TowerFixture, _ layout: ExportLayout) throws {
        let scratch = try ScratchDirectory()
        let original = try fixture.checkpoint
        try original.convert(to: layout, directory: scratch.path)
        let copy = try Checkpoint.open(scratch.path)
        let (prepared, wanted) = (copy.preprocessing, original.preprocessing)
        #expect(prepared.resize == wanted.resize && prepared.interpolation == wanted.interpolation)
        #expect(prepared.mean == wanted.mean && prepared.std == wanted.std)
        for parameter in original.parameterShapes {
            let (one, other) = (try original.tensor(parameter.name), try copy.tensor(parameter.name))
            #expect(one.shape == other.shape && one.values == other.values, "\(parameter.name)")
        }
        // The same model but for how positions fit another grid, which the layout decides.
        func vision(_ checkpoint: Checkpoint) throws -> ViTConfiguration {
            var tower = try #require(checkpoint.configuration.backbone as? ViTConfiguration)
            tower.positionInterpolation = .timm
            return tower
        }
        #expect(try vision(original) == vision(copy))
        let texts = [original, copy].map { ($0.configuration as? TwoTowerConfiguration)?.text }
        #expect(texts[0] == texts[1])
        #expect(copy.labels == original.labels && copy.headActivation == original.headActivation)
        if original.configuration is TwoTowerConfiguration {
            try scratch.write(try readFile(fixture.directory + "/golden.safetensors"), to: "golden.safetensors")
            #expect(try TowerGolden(directory: scratch.path).differences().allSatisfy { $0 < 2e-5 })
        }
    }

    /// timm keeps a projection as its head, with a bias of zeros.
    @Test func aProjectionBecomesTimmsHead() throws {
        let scratch = try ScratchDirectory()
        let original = try TowerFixture.hfCLIP.checkpoint
        try original.convert(to: .timm, directory: scratch.path, includingDecoder: false)
        let copy = try Checkpoint.open(scratch.path)
        #expect(copy.configuration.classCount == 12)
        #expect(try copy.tensor("head.weight").values == original.tensor("projection.weight").values)
        let golden = try TowerGolden(directory: TowerFixture.hfCLIP.directory)
        let classifier = try Classifier(copy.configuration, from: copy, engine: Engines.make(threads: 1), batchSize: 3)
        #expect(isClose(classifier.logits(golden.pixels).values, golden.images, within: 1e-5))
    }

    @Test(
        arguments: [
            (TowerFixture.hfCLIP, ExportLayout.timm, "no place for a text tower"),
            (.hfCLIP, .mae, "no place for a text tower"), (.hfSigLIP, .openCLIP, "attention pooling"),
            (.hfCLIPVision, .openCLIP, "no model of images alone"), (.openCLIPCustom, .huggingFace, "no such towers"),
            (.hfCLIPClassifier, .openCLIP, "no model of images alone"),
            (.hfCLIPClassifier, .mae, "no place for a model without a final norm"),
            (.hfCLIPVision, .mae, "a norm before the first block"),
            (.timmCLIP, .huggingFace, "a norm before the first block and a head on the class token"),
            (.timmSigLIP, .huggingFace, "attention pooling and a head on it"),
        ])
    func layoutsWithoutSuchAModelAreRefused(_ fixture: TowerFixture, _ layout: ExportLayout, _ words: String) throws {
        let scratch = try ScratchDirectory()
        let checkpoint = try fixture.checkpoint
        let error = #expect(throws: CheckpointError.self) {
            try checkpoint.convert(to: layout, directory: scratch.path + "/out")
        }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        #expect(try Files.kind(of: scratch.path + "/out") == .missing)
    }
}
