import Compute
import Models
import TensorFiles
import TestTools
import Testing

import Support

/// A model is found in whatever dictionaries and with whatever before its names.
struct ModelSearchTests {
    private let scratch: ScratchDirectory
    private let tensors: [(name: String, tensor: Tensor)]

    init() throws {
        scratch = try ScratchDirectory()
        let archive = try TensorArchive.open(Fixture.timmHub.path)
        tensors = try archive.tensors.map { ($0.name, try archive.tensor($0.name)) }
    }

    /// The weights with `prefix` before all names, times `factor`.
    private func model(_ prefix: String, times factor: Float = 1) -> [(name: String, tensor: Tensor)] {
        tensors.map { (prefix + $0.name, Tensor($0.tensor.values.map { $0 * factor }, shape: $0.tensor.shape)) }
    }

    private func write(_ tensors: [(name: String, tensor: Tensor)]) throws -> String {
        try scratch.write(try readFile(Fixture.timmHub.directory + "/config.json"), to: "config.json")
        let path = scratch.path + "/model.safetensors"
        try TensorArchive.write(tensors, to: path)
        return path
    }

    private func other(_ name: String) -> (name: String, tensor: Tensor) { (name, Tensor([1, 2], shape: [2])) }

    /// How many times the fixture's own weights a checkpoint's are.
    private func factor(_ checkpoint: Checkpoint) throws -> Float {
        let (own, read) = (tensors.first { $0.name == "cls_token" }, try checkpoint.tensor("cls_token").values)
        return try read[0] / #require(own).tensor.values[0]
    }

    @Test(arguments: [
        "net.", "module.backbone.", "_orig_mod.module.", "a.long.way.down.", "x._fsdp_wrapped_module.vit.",
    ])
    func whateverStandsBeforeAllNames(_ prefix: String) throws {
        let checkpoint = try Checkpoint.open(write(model(prefix) + [other("criterion.weight")]))
        let bare = try Checkpoint.open(Fixture.timmHub.path)
        for shape in bare.parameterShapes {
            #expect(try checkpoint.tensor(shape.name).values == bare.tensor(shape.name).values, "\(shape.name)")
        }
        #expect(checkpoint.ignored.map(\.name) == ["criterion.weight"])
        #expect(checkpoint.location?.contains("_") == false)
        #expect(checkpoint.tensors.count == tensors.count)
    }

    @Test(arguments: [
        ("student.", "teacher.", 2), ("teacher.net.", "student.net.", 1), ("model.", "ema.module.", 1),
        ("encoder.", "momentum_encoder.", 1), ("model.teacher.", "model.student.", 1), ("", "copy.", 1),
    ])
    func ofSeveralModelsOneIsTakenAndSaid(_ first: String, _ second: String, _ expected: Float) throws {
        let path = try write(model(first) + model(second, times: 2))
        let checkpoint = try Checkpoint.open(path)
        #expect(try factor(checkpoint) == expected)
        let taken = expected == 1 ? first : second
        #expect(checkpoint.location == (taken.isEmpty ? nil : String(taken.dropLast())))
        #expect(checkpoint.assumptions.first?.contains("--weights chooses") == true)
        #expect(checkpoint.ignored.map(\.name) == [(expected == 1 ? second : first) + "*"])
        let key = String(second.dropLast())
        let chosen = try Checkpoint.open(path, weights: key)
        #expect(try factor(chosen) == 2 && chosen.location == key)
        #expect(!chosen.assumptions.contains { $0.contains("--weights") })
    }

    @Test func whatCannotBeChosenIsAnError() throws {
        let path = try write(model("left.") + model("right."))
        #expect(try #require(openingError(path)).description.contains("several models (left, right)"))
        #expect(try Checkpoint.open(path, weights: "right").location == "right")
        #expect {
            try Checkpoint.open(path, weights: "middle")
        } throws: {
            "\($0)".hasSuffix("holds no model under middle; it holds left, right")
        }
    }

    /// A dictionary of its own is an average that was kept to be used; what lies beside it is named.
    @Test func anAverageInItsOwnDictionaryIsTaken() throws {
        let checkpoint = try Checkpoint.open(Fixture.torchTraining.path)
        #expect(checkpoint.location == "state_dict_ema")
        #expect(
            checkpoint.assumptions.first
                == "The model under state_dict_ema, the teacher or average, and not under state_dict.module, which the "
                + "file holds too (--weights chooses).")
        #expect(
            checkpoint.ignored.map(\.name) == ["eye", "noise", "optimizer.state.0.exp_avg", "state_dict.module.*"])
        let trained = try Checkpoint.open(Fixture.torchTraining.path, weights: "state_dict")
        #expect(trained.location == "state_dict.module")
        let name = "blocks.0.mlp.fc1.weight"
        #expect(try trained.tensor(name).values == checkpoint.tensor(name).values.map { -$0 })
    }

    @Test func manyForeignTensorsAreSummedUp() throws {
        let many = (0..<20).map { other("loss.\($0).weight") }
        let checkpoint = try Checkpoint.open(write(model("vit.") + many + [other("scale")]))
        #expect(checkpoint.ignored.map(\.name) == ["loss.*", "scale"])
        #expect(checkpoint.ignored[0].reason == "20 tensors beside the model")
    }

    /// mmpretrain's names, with the head beside the encoder.
    @Test func namesOfMMPretrain() throws {
        let blockNames = [
            "norm1": "ln1", "norm2": "ln2", "mlp.fc1": "ffn.layers.0.0", "mlp.fc2": "ffn.layers.1",
            "attn.qkv": "attn.qkv", "attn.proj": "attn.proj",
        ]
        let otherNames = [
            "cls_token": "cls_token", "pos_embed": "pos_embed",
            "patch_embed.proj.weight": "patch_embed.projection.weight",
            "patch_embed.proj.bias": "patch_embed.projection.bias", "norm.weight": "ln1.weight",
            "norm.bias": "ln1.bias",
        ]
        var renamed: [(name: String, tensor: Tensor)] = []
        for (name, tensor) in tensors {
            if name.hasPrefix("head.") {
                renamed.append(("head.layers." + name, tensor))
            } else if let other = otherNames[name] {
                renamed.append(("backbone." + other, tensor))
            } else {
                let parts = name.split(separator: ".")
                let field = try #require(blockNames[parts[2..<parts.count - 1].joined(separator: ".")])
                renamed.append(("backbone.layers.\(parts[1]).\(field).\(parts[parts.count - 1])", tensor))
            }
        }
        let checkpoint = try Checkpoint.open(write(renamed))
        let bare = try Checkpoint.open(Fixture.timmHub.path)
        #expect(checkpoint.configuration.classCount == 5)
        for shape in checkpoint.parameterShapes {
            #expect(try checkpoint.tensor(shape.name).values == bare.tensor(shape.name).values, "\(shape.name)")
        }
    }

    @Test func tooManyModelsAreRefused() throws {
        let path = try write((0..<65).map { other("m\($0).patch_embed.proj.weight") })
        #expect(try #require(openingError(path)).description.contains("holds more than 64 models"))
    }

    /// DINOv2 cuts its blocks into chunks for FSDP, and numbers them through.
    @Test func chunkedBlocksAreReadAsBlocks() throws {
        let chunked = model("teacher.backbone.").map { name, tensor in
            (name: String(name.replacing("blocks.0.", with: "blocks.3.0.")), tensor: tensor)
        }
        let checkpoint = try Checkpoint.open(write(chunked + [other("teacher.dino_head.mlp.0.weight")]))
        #expect(try factor(checkpoint) == 1 && checkpoint.location == "teacher.backbone")
        #expect(checkpoint.ignored.map(\.name) == ["teacher.dino_head.mlp.0.weight"])
    }

    @Test(arguments: ["last.ckpt", "model_best.pth.tar"])
    func aFolderWithOneFileOfATrainingProgram(_ name: String) throws {
        let path = try scratch.write(try readFile(Fixture.maeFinetuned.path), to: name)
        #expect(try Checkpoint.open(scratch.path).path == path)
    }
}
