import Compute
import Models
import Testing

import Support
import TestTools

/// Every layout gives the tensors that Python computed from the library's own model, to the bit.
struct LayoutTests {
    @Test(arguments: Fixture.allCases)
    func tensorsEqualTheReference(_ fixture: Fixture) throws {
        let checkpoint = try Checkpoint.open(fixture.path)
        let golden = try #require(try JSON.file(fixture.directory + "/parameters.json").members)
        let unchecked: Set = fixture == .hfDINOv2 ? ["head.weight", "head.bias"] : []
        #expect(unchecked.union(golden.map(\.name)) == Set(checkpoint.parameterShapes.map(\.name)))
        for entry in golden {
            let tensor = try checkpoint.tensor(entry.name)
            #expect(tensor.shape == entry.value["shape"]?.integers, "\(entry.name)")
            let bytes = tensor.values.flatMap { value in (0..<4).map { UInt8(value.bitPattern >> (8 * $0) & 0xFF) } }
            #expect(Int(crc32(of: bytes)) == entry.value["crc32"]?.integer, "\(entry.name)")
        }
    }

    @Test func parametersAreTheEncodersUnlessTheDecoderIsAskedFor() throws {
        let checkpoint = try Checkpoint.open(Fixture.maeFull.path)
        let encoder = try checkpoint.parameters()
        #expect(Set(encoder.keys) == Set(checkpoint.configuration.backbone.parameterShapes.map(\.name)))
        let whole = try checkpoint.parameters(includingDecoder: true)
        #expect(whole["decoder_pred.weight"]?.shape == [48, 8])
        #expect(whole.count == checkpoint.parameterShapes.count)
    }

    @Test(arguments: [
        (Fixture.timmHub, Layout.timm), (.timmDeiT3, .timm), (.timmRegisters, .timm), (.deitDistilled, .deit),
        (.hfViT, .huggingFace), (.hfViTModern, .huggingFaceModern), (.hfViTMSN, .huggingFace), (.maeLinearProbe, .mae),
        (.hfViTModel, .huggingFaceModern),
        (.hfMAE, .huggingFace), (.hfDINOv2Registers, .huggingFaceModern), (.maeFinetuned, .mae), (.maeFull, .mae),
        (.dinov2Original, .dinov2), (.jax, .jax),
    ])
    func layoutIsToldByTheKeys(_ fixture: Fixture, _ layout: Layout) throws {
        #expect(try Checkpoint.open(fixture.path).layout == layout)
    }

    @Test func aDirectoryIsOpenedByItsWeights() throws {
        #expect(try Checkpoint.open(Fixture.hfViT.directory).path == Fixture.hfViT.path)
        #expect(try Checkpoint.open(Fixture.hfViTModern.directory).path == Fixture.hfViTModern.path)
        #expect(try Checkpoint.open(Fixture.hfViTModel.directory).path == Fixture.hfViTModel.path)
    }

    @Test func floatTensorsAreMappedInPlace() throws {
        let checkpoint = try Checkpoint.open(Fixture.timmHub.path)
        let first = try checkpoint.tensor("blocks.0.mlp.fc1.weight")
        let second = try checkpoint.tensor("blocks.0.mlp.fc2.weight")
        #expect(first.storage.address == second.storage.address)
        checkpoint.releasePages(of: "blocks.0.mlp.fc1.weight")
        #expect(try first.values == Checkpoint.open(Fixture.timmHub.path).tensor("blocks.0.mlp.fc1.weight").values)
    }

    @Test func whatIsLeftUnusedIsSaid() throws {
        let pooler = try Checkpoint.open(Fixture.hfViTModel.path).ignored.map(\.name)
        #expect(pooler == ["pooler.dense.bias", "pooler.dense.weight"])
        let dino = try Checkpoint.open(Fixture.hfDINOv2.path)
        #expect(dino.ignored.map(\.name) == ["dinov2.embeddings.mask_token"])
        #expect(dino.configuration.classCount == 5 && dino.configuration.headPooling == .classTokenAndMean)
        let probe = try Checkpoint.open(Fixture.maeLinearProbe.path)
        #expect(probe.ignored.map(\.reason).allSatisfy { $0.contains("folded into it") } && probe.ignored.count == 3)
    }

    @Test func classesMayBeNamedByNumbers() throws {
        #expect(try Checkpoint.open(Fixture.hfViTMSN.path).labels == ["9", "8", "7", "6", "5"])
    }

    @Test(
        arguments: [
            ("head.0.running_var", nil, "lacks head.0.running_var"),
            ("head.0.running_var", [3], "batch norm head.0.running_var that does not fit head.1.weight"),
            ("head.0.running_mean", [1, 16], "batch norm head.0.running_mean that does not fit head.1.weight"),
        ] as [(String, [Int]?, String)])
    func aBatchNormThatDoesNotFitIsRefused(_ name: String, _ shape: [Int]?, _ words: String) throws {
        let scratch = try ScratchDirectory()
        let archive = try TensorArchive.open(Fixture.maeLinearProbe.path)
        var tensors: [(name: String, tensor: Tensor)] = []
        for description in archive.tensors where description.type.isFloatingPoint {
            if description.name != name {
                tensors.append((description.name, try archive.tensor(description.name)))
            } else if let shape {
                tensors.append((name, Tensor(shape: shape)))
            }
        }
        try scratch.write(try readFile(Fixture.maeLinearProbe.directory + "/config.json"), to: "config.json")
        let path = scratch.path + "/model.safetensors"
        try TensorArchive.write(tensors, to: path)
        #expect(try #require(openingError(path)).description.contains(words))
    }
}
