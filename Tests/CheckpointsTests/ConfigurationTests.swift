import Imaging
import Models
import Support
import TestTools
import Testing

/// What is read from configuration files, and what is assumed without them.
struct ConfigurationTests {
    @Test func huggingFaceViT() throws {
        let checkpoint = try Checkpoint.open(Fixture.hfViT.path)
        var expected = ViTConfiguration()
        expected.imageSize = Size(square: 16)
        expected.patchSize = Size(square: 4)
        expected.width = 16
        expected.depth = 2
        expected.heads = 2
        expected.hiddenWidth = 32
        expected.layerNormEpsilon = 1e-12
        expected.positionInterpolation = .transformers
        expected.classCount = 5
        #expect(try checkpoint.encoder == expected)
        #expect(checkpoint.labels == ["ant", "bee", "cicada", "dragonfly", "earwig"])
        #expect(checkpoint.assumptions.isEmpty)
        var preprocessing = Preprocessing(
            resize: .exact(width: 16, height: 20), interpolation: .bilinear, mean: [0.4, 0.5, 0.6],
            std: [0.3, 0.2, 0.25])
        preprocessing.crop = Size(height: 16, width: 16)
        preprocessing.cropRounding = .down
        preprocessing.rescaleFactor = 0.00392156862745098
        #expect(checkpoint.preprocessing == preprocessing)
    }

    @Test func activationAndBiasOfQueries() throws {
        #expect(try Checkpoint.open(Fixture.hfViTModern.path).encoder.activation == .geluTanh)
        let biasless = try Checkpoint.open(Fixture.hfViTModel.path).encoder
        #expect(!biasless.qkvBias && biasless.activation == .gelu && biasless.classCount == 0)
    }

    @Test func huggingFaceDeiTIsSquashedAndCropped() throws {
        let checkpoint = try Checkpoint.open(Fixture.hfDeiT.path)
        #expect(try checkpoint.encoder.hasDistillationToken)
        #expect(checkpoint.preprocessing.resize == .exact(width: 20, height: 20))
        #expect(checkpoint.preprocessing.crop == Size(height: 16, width: 16))
        #expect(checkpoint.preprocessing.interpolation == .bicubic)
    }

    @Test func huggingFaceMAEHasADecoder() throws {
        let checkpoint = try Checkpoint.open(Fixture.hfMAE.path)
        let decoder = try #require(checkpoint.autoencoder?.decoder)
        #expect((decoder.width, decoder.depth, decoder.heads, decoder.hiddenWidth) == (12, 1, 4, 20))
        #expect(try checkpoint.encoder.classCount == 0)
    }

    @Test func dinov2() throws {
        let registers = try Checkpoint.open(Fixture.hfDINOv2Registers.path)
        #expect(try registers.encoder.registerCount == 4 && registers.encoder.hasLayerScale)
        #expect(try registers.encoder.prefixHasPosition)
        #expect(try registers.encoder.layerNormEpsilon == 1e-6)
        #expect(registers.preprocessing.resize == .shortestEdge(24))
        let timm = try Checkpoint.open(Fixture.timmRegisters.path).encoder
        #expect(timm.registerCount == 4 && timm.hasLayerScale && !timm.prefixHasPosition)
    }

    @Test func timmHub() throws {
        let checkpoint = try Checkpoint.open(Fixture.timmHub.path)
        #expect(try checkpoint.encoder.heads == 2)
        #expect(try checkpoint.encoder.layerNormEpsilon == 1e-6)
        #expect(checkpoint.labels == ["ant", "bee", "cicada", "dragonfly", "earwig"])
        #expect(checkpoint.preprocessing.resize == .shortestEdge(17))
        #expect(checkpoint.preprocessing.crop == Size(height: 16, width: 16))
        #expect(checkpoint.preprocessing.mean == [0.5, 0.5, 0.5])
        #expect(checkpoint.assumptions.isEmpty)
    }

    @Test func timmMeanPooledIsNotSquare() throws {
        let checkpoint = try Checkpoint.open(Fixture.timmMeanPooled.path)
        #expect(try checkpoint.encoder.imageSize == Size(height: 16, width: 24))
        #expect(try checkpoint.encoder.pooling == .meanPatches)
        #expect(try checkpoint.encoder.finalNorm == .afterPooling)
        #expect(checkpoint.preprocessing.resize == .cover(width: 30, height: 20))
    }

    @Test func withoutAConfigurationItIsSaidWhatIsAssumed() throws {
        let checkpoint = try Checkpoint.open(Fixture.maeFinetuned.path)
        #expect(try checkpoint.encoder.heads == 1)
        #expect(try checkpoint.encoder.imageSize == Size(square: 16))
        #expect(try checkpoint.encoder.finalNorm == .afterPooling)
        #expect(checkpoint.preprocessing.resize == .shortestEdge(18))
        #expect(checkpoint.preprocessing.mean == [0.485, 0.456, 0.406])
        let said = checkpoint.assumptions.joined(separator: " ")
        for word in ["attention heads", "16 × 16 pixels", "MAE", "epsilon"] { #expect(said.contains(word)) }
    }

    private func preprocessing(_ settings: String) throws -> Preprocessing {
        let scratch = try ScratchDirectory()
        let path = try scratch.copy(.hfViT)
        try scratch.write("{\(settings)}", to: "preprocessor_config.json")
        return try Checkpoint.open(path).preprocessing
    }

    /// As transformers' `get_size_dict` has it.
    @Test(arguments: [
        (#""size": 16"#, Preprocessing.Resize.exact(width: 16, height: 16)),
        (#""size": 16, "default_to_square": true"#, .exact(width: 16, height: 16)),
        (#""size": 16, "default_to_square": false, "max_size": 16"#, .shortestEdge(16)),
        (#""size": 16, "image_processor_type": "CLIPImageProcessor""#, .shortestEdge(16)),
        (#""size": 16, "image_processor_type": "SiglipImageProcessor""#, .shortestEdge(16)),
        (
            #""size": 16, "image_processor_type": "BitImageProcessorFast", "default_to_square": true"#,
            .exact(width: 16, height: 16)
        ),
    ])
    func aBareSizeMeansWhatTheProcessorSays(_ settings: String, _ resize: Preprocessing.Resize) throws {
        #expect(try preprocessing(#""do_center_crop": true, "crop_size": 16, \#(settings)"#).resize == resize)
    }

    /// Whatever changes pixels is obeyed or refused; what cannot is on a list.
    @Test(arguments: [
        #""do_flip_channel_order": true"#, #""crop_pct": 0.9"#, #""rescale_offset": true"#, #""use_square_size": true"#,
        #""do_pad": true, "pad_size": {"height": 32, "width": 32}"#, #""do_resize": "no""#, #""do_thumbnail": true"#,
        #""image_processor_type": "ConvNextImageProcessor""#, #""default_to_square": 1"#, #""rescale_factor": 0"#,
        #""rescale_factor": 1e-19"#, #""rescale_factor": Infinity"#, #""rescale_factor": "1/255""#,
    ])
    func settingsThatAreNotUnderstoodAreRefused(_ setting: String) throws {
        let error = try #require(throws: CheckpointError.self) {
            try preprocessing(#""size": 16, \#(setting)"#)
        }
        let name = setting.split(separator: "\"").first { $0.contains("_") && $0 != "do_pad" } ?? ""
        let isNamed =
            error.description.contains(name) || error.description.contains("image processor ConvNext")
            || error.description.contains("do_pad") && setting.contains("do_pad")
        #expect(error.kind == .malformed && isNamed, "\(error)")
    }

    /// What single precision cannot compute with, in either dialect.
    @Test(arguments: ["NaN", "Infinity", "1e308", "-1e39", "1e7"])
    func meansThatPixelsCannotHaveAreRefused(_ number: String) throws {
        let transformers = try #require(throws: CheckpointError.self) {
            try preprocessing(#""size": 16, "image_mean": [0, \#(number), 0]"#)
        }
        #expect(transformers.kind == .malformed && transformers.reason.hasPrefix("gives a mean of "), "\(transformers)")
        let timmError = try #require(throws: CheckpointError.self) {
            try timm("vit_tiny_patch8_16", "}, \"pretrained_cfg\": {\"mean\": [0, \(number), 0]")
        }
        #expect(timmError.kind == .malformed && timmError.reason.hasPrefix("gives a mean of "), "\(timmError)")
    }

    @Test(arguments: ["0", "-0.0", "NaN", "-Infinity", "1e308", "1e-40", "1e-19"])
    func deviationsThatNothingCanBeDividedByAreRefused(_ number: String) throws {
        let transformers = try #require(throws: CheckpointError.self) {
            try preprocessing(#""size": 16, "image_std": [1, \#(number), 1]"#)
        }
        #expect(transformers.kind == .malformed && transformers.reason.hasPrefix("gives a std of "), "\(transformers)")
        let timmError = try #require(throws: CheckpointError.self) {
            try timm("vit_tiny_patch8_16", "}, \"pretrained_cfg\": {\"std\": [1, \(number), 1]")
        }
        #expect(timmError.kind == .malformed && timmError.reason.hasPrefix("gives a std of "), "\(timmError)")
    }

    @Test(arguments: ["-1", "1", "NaN", "1e308", "\"1e-6\""])
    func epsilonsOfNoNormAreRefused(_ number: String) throws {
        let error = try #require(throws: CheckpointError.self) {
            try timm("vit_tiny_patch8_16", "}, \"layer_norm_eps\": \(number), \"model\": {\"a\": 1")
        }
        #expect(error.kind == .malformed && error.reason.hasPrefix("states a layer_norm_eps of "), "\(error)")
    }

    @Test func settingsThatCannotMatterAreNotRefused() throws {
        let plain = try preprocessing(#""size": 16"#)
        let settings = #""do_convert_rgb": true, "do_pad": false, "crop_pct": null, "data_format": "channels_first""#
        #expect(
            try preprocessing(#""size": 16, "image_processor_type": "ViTImageProcessorFast", \#(settings)"#) == plain)
    }

    /// One state dict has one preprocessing, bare or in a dictionary: a wrapper says nothing of whose weights they are.
    @Test(arguments: [Fixture.hfViT, .hfViTModel]) func aWrapperIsNoEvidence(_ fixture: Fixture) throws {
        let source = try Checkpoint.open(fixture.path)
        let (bare, wrapped) = (try ScratchDirectory(), try ScratchDirectory())
        try source.convert(to: .timm, directory: bare.path)
        try source.convert(to: .mae, directory: wrapped.path)
        for scratch in [bare, wrapped] {
            try Files.remove(scratch.path + "/preprocessor_config.json")
            try scratch.write(#"{"num_attention_heads": 2}"#, to: "config.json")
        }
        let (one, other) = (try Checkpoint.open(bare.path), try Checkpoint.open(wrapped.path))
        #expect(one.preprocessing == other.preprocessing && one.layout == other.layout)
        #expect(one.preprocessing.mean == [0.5, 0.5, 0.5] && one.preprocessing.resize == .shortestEdge(17))
        #expect(one.assumptionsNote()?.contains("mean 0.5,0.5,0.5") == true)
    }

    /// timm's names say whose recipe the weights are of, also where the preprocessing is left out.
    @Test(arguments: [
        ("deit_tiny_patch16_224", [0.485, 0.456, 0.406]), ("vit_tiny_patch16_224", [0.5, 0.5, 0.5]),
        ("vit_base_patch16_224.mae", [0.485, 0.456, 0.406]), ("vit_small_patch16_224.dino", [0.485, 0.456, 0.406]),
    ])
    func architecturesHaveTheirRecipe(_ architecture: String, _ mean: [Double]) throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(try Fixture.timmHub.bytes, to: "model.safetensors")
        try scratch.write(
            "{\"architecture\": \"\(architecture)\", \"model_args\": {\"depth\": 1, \"num_heads\": 2}}",
            to: "config.json")
        #expect(try Checkpoint.open(path).preprocessing.mean == mean)
    }

    @Test func jaxStatesItsHeads() throws {
        let checkpoint = try Checkpoint.open(Fixture.jax.path)
        #expect(try checkpoint.encoder.heads == 2)
        #expect(checkpoint.preprocessing.resize == .shortestEdge(17))
        #expect(!checkpoint.assumptions.contains { $0.contains("heads") })
    }

    @Test func positionsAreFittedToWhatThePreprocessingMakes() throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.copy(.hfDINOv2Registers)
        try scratch.write(
            #"{"image_processor_type": "BitImageProcessor", "size": {"shortest_edge": 40}, "crop_size": 32}"#,
            to: "preprocessor_config.json")
        let configuration = try Checkpoint.open(path).encoder
        #expect(configuration.imageSize == Size(square: 32))
        #expect(configuration.positionImageSize == Size(square: 16))
    }

    @Test(arguments: [
        (#""hidden_act": "relu""#, "activation relu"),
        (#""num_attention_heads": 3"#, "3 attention heads, which do not divide"),
        (#""model_type": "swin""#, "model of type swin"), (#""hidden_size": 64"#, "hidden_size of 64"),
        (#""image_size": [16]"#, "image_size of [16]"), (#""num_hidden_layers": 12"#, "12 layers"),
        (#""num_attention_heads": -1"#, "num_attention_heads of -1"), (#""patch_size": 16"#, "patches of 16 × 16"),
        (#""id2label": {"7": "x"}"#, "id2label"), (#""rope_theta": 100"#, "rope_theta"),
        (#""pruned_heads": {"0": [1]}"#, "pruned_heads"), (#""qkv_bias": false"#, "qkv_bias"),
        (#""intermediate_size": 64"#, "intermediate_size of 64"), (#""hidden_act": 3"#, "hidden_act as 3"),
        (#""quantization_config": {"bits": 4}"#, "quantization_config"), (#""layer_norm_eps": "x""#, "layer_norm_eps"),
        (#""image_size": 23"#, "do not divide"), (#""image_size": 1048576"#, "have more than 16384 patches"),
    ])
    func aWrongConfigurationIsRefused(_ setting: String, _ words: String) throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.copy(.hfViT)
        let name = setting.split(separator: "\"")[0]
        let settings =
            [
                #""model_type": "vit""#, #""image_size": 16"#, #""num_attention_heads": 2"#,
            ].filter { !$0.hasPrefix("\"\(name)\"") } + [setting]
        try scratch.write("{" + settings.joined(separator: ", ") + "}", to: "config.json")
        try scratch.write("{\"do_resize\": false}", to: "preprocessor_config.json")
        let error = try #require(openingError(path))
        #expect(error.kind == .malformed)
        #expect(error.description.contains(words), "\(error)")
        #expect(error.description.hasPrefix(scratch.path), "\(error)")
    }

    private func timm(_ architecture: String, _ arguments: String) throws -> Checkpoint {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(try Fixture.timmHub.bytes, to: "model.safetensors")
        try scratch.write(
            "{\"architecture\": \"\(architecture)\", \"model_args\": {\"depth\": 1, \"num_heads\": 2\(arguments)}}",
            to: "config.json")
        return try Checkpoint.open(path)
    }

    /// Names and arguments that change what the same tensors compute.
    @Test(arguments: [
        ("vit_small_patch16_rope_ape_224", "", "rotary"), ("vit_base_patch16_rpn_224", "", "norms after"),
        ("vit_base_patch32_clip_quickgelu_224", "", "with a norm before the first block"),
        ("vit_base_patch16_sapiens2", "", "sapiens2"),
        ("my_vit", "", "\"my\""), ("vit_tiny_patch16_224", #", "use_rot_pos_emb": true"#, "use_rot_pos_emb"),
        ("vit_tiny_patch16_224", #", "act_layer": "relu""#, "relu"),
        ("vit_tiny_patch16_224", #", "norm_layer": "rmsnorm""#, "norm_layer"),
        ("vit_tiny_patch16_224", #", "pos_embed": "none""#, "pos_embed"),
        ("vit_tiny_patch16_224", #", "final_norm": false"#, "final_norm"),
        ("vit_tiny_patch16_224", #", "attn_layer": "diff""#, "attn_layer"),
        ("vit_tiny_patch16_224", #", "pre_norm": true"#, "with a norm before the first block"),
        ("vit_tiny_patch16_224", #", "global_pool": "map""#, "map"),
    ])
    func whatIsNoPlainViTOfTimmIsRefused(_ architecture: String, _ arguments: String, _ words: String) throws {
        let error = try #require(throws: CheckpointError.self) { try timm(architecture, arguments) }
        #expect(error.kind == .malformed && error.description.contains(words), "\(error)")
    }

    @Test func argumentsThatCannotMatterAreNotRefused() throws {
        let arguments = #", "drop_path_rate": 0.1, "weight_init": "skip", "norm_layer": "layernorm", "pre_norm": false"#
        #expect(try timm("vit_tiny_patch16_224.augreg_in21k", arguments).configuration.depth == 1)
    }

    @Test func headsThatCannotBeToldAreAskedFor() throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(try Fixture.timmHub.bytes, to: "model.safetensors")
        #expect(try #require(openingError(path)).description.contains("num_attention_heads"))
        try scratch.write(#"{"num_attention_heads": 2}"#, to: "config.json")
        #expect(try Checkpoint.open(path).encoder.heads == 2)
    }
}
