import Compute
import Imaging
import Models
import Support
import TestTools
import Testing

/// What is written is read again to the bit, in every layout that has a place for it.
struct ConversionTests {
    private static func bits(_ checkpoint: Checkpoint, _ name: String) throws -> [UInt32] {
        try checkpoint.tensor(name).values.map(\.bitPattern)
    }

    private static let huggingFace: [Fixture] = [
        .timmHub, .deitDistilled, .hfViT, .hfViTModern, .hfViTModel, .hfDeiT, .hfMAE, .hfDINOv2, .hfDINOv2Classifier,
        .hfDINOv2Registers,
        .maeFull, .dinov2Original, .jax, .torchTraining, .maeLinearProbe, .hfViTMSN,
    ]
    private static let timm: [Fixture] = [
        .timmHub, .timmMeanPooled, .timmDeiT3, .timmRegisters, .timmRegisterPositions, .deitDistilled, .hfDeiTOneHead,
        .hfViT, .hfViTModern, .hfViTModel,
        .hfDeiT, .maeFinetuned, .jax, .torchLegacy, .torchModule, .torchTraining, .maeLinearProbe, .hfViTMSN,
    ]

    private static let roundTrips =
        huggingFace.map { ($0, ExportLayout.huggingFace) } + timm.map { ($0, ExportLayout.timm) }
        + Fixture.allCases.filter { ![.hfDINOv2, .hfDINOv2Classifier].contains($0) }.map { ($0, ExportLayout.mae) }

    /// The head on class token and mean has no place but in transformers.
    @Test(arguments: [ExportLayout.timm, .mae])
    func aHeadThatALayoutCannotHoldIsRefused(_ layout: ExportLayout) throws {
        let scratch = try ScratchDirectory()
        let checkpoint = try Checkpoint.open(Fixture.hfDINOv2Classifier.path)
        #expect {
            try checkpoint.convert(to: layout, directory: scratch.path)
        } throws: {
            "\($0)".contains("no head on class token and mean of the patches; hf can hold it")
        }
        #expect(try scratch.names.isEmpty)
    }

    @Test(arguments: roundTrips)
    func everyTensorSurvives(_ fixture: Fixture, _ layout: ExportLayout) throws {
        let scratch = try ScratchDirectory()
        let original = try Checkpoint.open(fixture.path)
        try original.convert(to: layout, directory: scratch.path)
        let copy = try Checkpoint.open(scratch.path)
        var expected = try original.encoder
        // How positions are interpolated belongs to the layout.
        expected.positionInterpolation = try copy.encoder.positionInterpolation
        #expect(try copy.encoder == expected)
        #expect(copy.autoencoder?.decoder == original.autoencoder?.decoder)
        #expect(copy.autoencoder?.target == original.autoencoder?.target)
        #expect(copy.labels == original.labels || (original.labels == nil && layout == .huggingFace))
        for parameter in original.parameterShapes {
            let name = parameter.name
            #expect(try Self.bits(copy, name) == Self.bits(original, name), "\(name)")
        }
        #expect(try Files.names(in: scratch.path).allSatisfy { !$0.contains("partial") })
    }

    @Test(arguments: [
        (Fixture.timmHub, ExportLayout.timm), (.timmHub, .huggingFace), (.timmMeanPooled, .timm),
        (.hfViT, .huggingFace),
        (.hfViT, .timm), (.hfDeiT, .timm), (.hfDINOv2Registers, .timm), (.hfViTModern, .timm), (.jax, .mae),
    ])
    func preprocessingSurvives(_ fixture: Fixture, _ layout: ExportLayout) throws {
        let scratch = try ScratchDirectory()
        let original = try Checkpoint.open(fixture.path)
        let notes = try original.convert(to: layout, directory: scratch.path)
        var expected = original.preprocessing
        if notes.contains(where: { $0.contains("margin") }) { expected.cropRounding = .down }
        var copy = try Checkpoint.open(scratch.path).preprocessing
        #expect(abs(copy.rescaleFactor - expected.rescaleFactor) < 1e-15)
        copy.rescaleFactor = expected.rescaleFactor
        if expected.crop == nil, case .exact(let width, let height) = expected.resize {
            // timm always cuts; from a picture of the same size nothing.
            copy.crop = copy.crop == Size(height: height, width: width) ? nil : copy.crop
            copy.cropRounding = expected.cropRounding
        }
        #expect(copy == expected)
    }

    @Test func positionOfTheClassTokenIsFoldedForTimm() throws {
        let scratch = try ScratchDirectory()
        let original = try Checkpoint.open(Fixture.dinov2Original.path)
        try original.convert(to: .timm, directory: scratch.path)
        let copy = try Checkpoint.open(scratch.path)
        #expect(try !copy.encoder.prefixHasPosition && copy.encoder.registerCount == 4)
        let (token, positions) = (try original.tensor("cls_token").values, try original.tensor("pos_embed").values)
        #expect(try copy.tensor("cls_token").values == zip(token, positions).map { $0 + $1 })
        #expect(try copy.tensor("pos_embed").values == Array(positions.dropFirst(16)))
        #expect(try copy.tensor("reg_token").values == original.tensor("reg_token").values)
    }

    @Test func halfPrecisionRoundsToTheNearest() throws {
        let scratch = try ScratchDirectory()
        let original = try Checkpoint.open(Fixture.hfViT.path)
        for layout in [ExportLayout.huggingFace, .timm, .mae] {
            let directory = scratch.path + "/" + layout.rawValue
            try original.convert(to: layout, directory: directory, halfPrecision: true)
            let copy = try Checkpoint.open(directory)
            #expect(copy.tensors.allSatisfy { $0.type == .float16 })
            for parameter in original.parameterShapes {
                let rounded = try original.tensor(parameter.name).values.map { Float(Float16($0)) }
                #expect(try copy.tensor(parameter.name).values == rounded, "\(parameter.name)")
            }
        }
    }

    @Test(arguments: [
        (Fixture.timmMeanPooled, ExportLayout.huggingFace, "a norm after pooling"),
        (.timmDeiT3, .huggingFace, "a head on the class token alone"), (.maeFull, .timm, "MAE's decoder"),
    ])
    func whatALayoutCannotHoldIsRefused(_ fixture: Fixture, _ layout: ExportLayout, _ words: String) throws {
        let scratch = try ScratchDirectory()
        let checkpoint = try Checkpoint.open(fixture.path)
        let error = #expect(throws: CheckpointError.self) {
            try checkpoint.convert(to: layout, directory: scratch.path + "/out")
        }
        #expect(try #require(error).description.contains(words))
        #expect(try Files.kind(of: scratch.path + "/out") == .missing)
    }

    @Test func tensorsAloneAreWrittenAndRead() throws {
        let scratch = try ScratchDirectory()
        let path = scratch.path + "/a.safetensors"
        let special: [Float] = [0, -0.0, .leastNonzeroMagnitude, .infinity, -.infinity, .greatestFiniteMagnitude]
        try TensorArchive.write(
            [("b", Tensor(special, shape: [2, 3])), ("a", Tensor(shape: [0, 4])), ("c", Tensor([.nan], shape: [1]))],
            to: path)
        let archive = try TensorArchive.open(path)
        #expect(
            archive.tensors.map(\.name) == ["b", "a", "c"] && archive.tensors.map(\.shape) == [[2, 3], [0, 4], [1]])
        #expect(try archive.tensor("b").values.map(\.bitPattern) == special.map(\.bitPattern))
        #expect(try archive.tensor("c").values[0].isNaN)
        let halves: [Float] = [1 + 0x1p-11, 1 + 0x3p-11, 0x1p-24, 0x1p-25, 65_520, -0.0]
        try TensorArchive.write([("h", Tensor(halves, shape: [6]))], to: path, halfPrecision: true)
        #expect(try TensorArchive.open(path).tensor("h").values == [1, 1 + 0x1p-9, 0x1p-24, 0, .infinity, 0])
    }

    @Test func outputThatCannotBeMadeIsNamed() throws {
        let scratch = try ScratchDirectory()
        let file = try scratch.write("x", to: "file")
        let error = #expect(throws: CheckpointError.self) {
            try Checkpoint.open(Fixture.timmHub.path).convert(to: .timm, directory: file)
        }
        #expect(try #require(error).kind == .cannotCreate)
        #expect(try #require(error).path == file)
    }
}
