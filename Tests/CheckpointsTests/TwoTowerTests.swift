import Compute
import Foundation
import Models
import Support
import TestTools
import Testing

/// CLIP and SigLIP beside transformers and OpenCLIP: tensors, embeddings of both towers and scores.
struct TwoTowerTests {
    @Test(arguments: TowerFixture.allCases)
    func tensorsEqualTheReference(_ fixture: TowerFixture) throws {
        let checkpoint = try fixture.checkpoint
        let golden = try #require(try JSON.file(fixture.directory + "/parameters.json").members)
        // OpenCLIP calls the norm so wherever it stands.
        func own(_ name: String) -> String {
            fixture == .openCLIPCustom && name.hasPrefix("norm.") ? "fc_" + name : name
        }
        #expect(Set(golden.map { own($0.name) }) == Set(checkpoint.parameterShapes.map(\.name)))
        for entry in golden {
            let tensor = try checkpoint.tensor(own(entry.name))
            #expect(tensor.shape == entry.value["shape"]?.integers, "\(entry.name)")
            let bytes = tensor.values.flatMap { value in (0..<4).map { UInt8(value.bitPattern >> (8 * $0) & 0xFF) } }
            #expect(Int(crc32(of: bytes)) == entry.value["crc32"]?.integer, "\(entry.name)")
        }
    }

    @Test(arguments: TowerFixture.twoTowers)
    func embeddingsAndScoresAreThoseOfTheLibrary(_ fixture: TowerFixture) throws {
        let differences = try TowerGolden(directory: fixture.directory).differences()
        #expect(differences.allSatisfy { $0 < 2e-5 }, "\(differences)")
    }

    /// Checkpoints that tools/check_two_towers.py left in a folder.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["SWIFT_VIT_TOWERS"] != nil))
    func embeddingsOfAFolderOfCheckpoints() throws {
        let folder = try #require(ProcessInfo.processInfo.environment["SWIFT_VIT_TOWERS"])
        for name in try Files.names(in: folder).sorted() {
            let directory = Files.join(folder, name)
            guard try Files.kind(of: directory + "/golden.safetensors") == .file else { continue }
            let differences = try TowerGolden(directory: directory, batchSize: 8).differences()
            print("\(name): images \(differences[0]), texts \(differences[1]), scores \(differences[2])")
            #expect(differences.allSatisfy { $0 < 1e-4 }, "\(name): \(differences)")
        }
    }

    @Test(arguments: TowerFixture.visionTowers)
    func visionTowersAloneAreThoseOfTheLibrary(_ fixture: TowerFixture) throws {
        let checkpoint = try fixture.checkpoint
        let configuration = try #require(checkpoint.configuration as? ViTConfiguration)
        let golden = try TensorArchive.open(fixture.directory + "/golden.safetensors")
        let (images, engine) = (try golden.tensor("pixels"), Engines.make(threads: 1))
        let extractor = try FeatureExtractor(
            configuration, pooling: configuration.headPooling, from: checkpoint, engine: engine, batchSize: 3)
        let features = Tensor(shape: [3] + configuration.featureShape(configuration.headPooling))
        extractor.features(images, into: features)
        #expect(isClose(features.values, try golden.tensor("image_embeds").values, within: 1e-5))
        guard configuration.classCount > 0 else { return }
        let classifier = try Classifier(configuration, from: checkpoint, engine: engine, batchSize: 3)
        #expect(isClose(classifier.logits(images).values, try golden.tensor("logits").values, within: 1e-5))
    }

    @Test func configurationsFollowFromTheFiles() throws {
        func towers(_ fixture: TowerFixture) throws -> TwoTowerConfiguration {
            try #require(try fixture.checkpoint.configuration as? TwoTowerConfiguration)
        }
        let clip = try towers(.hfCLIP)
        #expect(clip.vision.hasPreNorm && !clip.vision.patchBias && clip.vision.activation == .quickGELU)
        #expect(clip.text.isCausal && clip.text.pooling == .firstOf(39) && clip.text.width == 24)
        #expect(clip.embeddingWidth == 12 && clip.headPooling == .projection && clip.scoring == .softmax)
        let legacy = try towers(.hfCLIPLegacy)
        #expect(legacy.text.pooling == .highest && legacy.vision.activation == .gelu && legacy.text.activation == .gelu)
        let sigLIP = try towers(.hfSigLIP)
        #expect(sigLIP.vision.pooling == .attention && sigLIP.vision.activation == .geluTanh)
        #expect(!sigLIP.text.isCausal && sigLIP.text.pooling == .last && sigLIP.scoring == .sigmoid)
        let activations = try [TowerFixture.hfCLIP, .hfSigLIP, .openCLIPSigLIP].map { try $0.checkpoint.headActivation }
        #expect(activations == [.softmax, .sigmoid, .sigmoid])
        #expect(try towers(.openCLIP).vision.activation == .quickGELU && towers(.openCLIP).text.pooling == .highest)
        let custom = try towers(.openCLIPCustom)
        #expect(custom.vision.pooling == .meanPatches && custom.vision.finalNorm == .afterPooling)
        #expect(custom.text.activation == .geluTanh && custom.text.hasLayerScale && custom.text.pooling == .firstOf(39))
        #expect(custom.vision.layerNormEpsilon == 1e-6 && custom.text.layerNormEpsilon == 1e-5)
        #expect(try towers(.openCLIPSigLIP).vision.activation == .gelu)
    }

    @Test func classifiersHaveTheirHeadsAndLabels() throws {
        let (clip, sigLIP) = (
            try TowerFixture.hfCLIPClassifier.checkpoint, try TowerFixture.hfSigLIPClassifier.checkpoint
        )
        let towers = try [clip, sigLIP].map { try #require($0.configuration as? ViTConfiguration) }
        #expect(towers.map(\.pooling) == [.meanPatches, .meanPatches] && towers.map(\.classCount) == [3, 4])
        #expect(towers.map(\.finalNorm) == [.absent, .beforePooling])
        #expect(clip.labels == ["red", "green", "blue"] && sigLIP.labels?[3] == "LABEL_3")
        #expect(clip.headActivation == .softmax && sigLIP.headActivation == .sigmoid)
        #expect(clip.ignored.map(\.name) == ["bias", "weight"].map { "vision_model.post_layernorm.\($0)" })
        #expect(sigLIP.ignored.count == 11 && sigLIP.ignored.allSatisfy { $0.reason.contains("attention pooling") })
    }

    @Test func imagesArePreparedAsTheFilesSay() throws {
        let clip = try TowerFixture.hfCLIP.checkpoint.preprocessing
        #expect(clip.resize == .shortestEdge(16) && clip.crop == Size(square: 16) && clip.mean[0] == 0.48145466)
        let sigLIP = try TowerFixture.hfSigLIP.checkpoint.preprocessing
        #expect(sigLIP.resize == .exact(width: 16, height: 16) && sigLIP.mean == [0.5, 0.5, 0.5] && sigLIP.crop == nil)
        let open = try TowerFixture.openCLIP.checkpoint.preprocessing
        #expect(open.resize == .shortestEdge(16) && open.std[2] == 0.27577711 && open.interpolation == .bicubic)
        #expect(try TowerFixture.openCLIPSigLIP.checkpoint.preprocessing.resize == .exact(width: 16, height: 16))
    }

    /// Batches, and the texts beside it, leave a text's bits alone; tokens behind the end of one change nothing.
    @Test(arguments: [TowerFixture.hfCLIP, .hfSigLIP])
    func textsDoNotDependOnEachOther(_ fixture: TowerFixture) throws {
        let golden = try TowerGolden(directory: fixture.directory, batchSize: 3)
        let all = try golden.model.textEmbeddings(golden.tokens)
        for (row, text) in golden.tokens.enumerated() {
            let alone = try golden.model.textEmbeddings([text]).values
            #expect(alone == all.rows(row..<row + 1).values, "text \(row)")
        }
        guard fixture == .hfCLIP else { return }
        let short = try golden.model.textEmbeddings([[38, 5, 39]]).values
        #expect(try golden.model.textEmbeddings([[38, 5, 39, 7, 7, 39, 0]]).values == short)
        #expect(try golden.model.textEmbeddings([[38, 5, 6, 39]]).values != short)
    }

    @Test(arguments: TowerFixture.twoTowers, [Precision.bfloat16, .int8])
    func bothTowersComputeInEveryPrecision(_ fixture: TowerFixture, _ precision: Precision) throws {
        let rounded = try TowerGolden(directory: fixture.directory, precision: precision)
        let got = rounded.model.imageEmbeddings(rounded.pixels).values
        let read = try rounded.model.textEmbeddings(rounded.tokens).values
        for (values, exact) in [(got, rounded.images), (read, rounded.texts)] {
            let difference = zip(values, exact).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            let norm = exact.reduce(0) { $0 + $1 * $1 }
            #expect(difference > 0 && difference < 0.01 * norm, "\(difference / norm)")
        }
    }

    @Test func probabilitiesAreThoseOfTheModel() throws {
        let clip = try TowerGolden(directory: TowerFixture.hfCLIP.directory).model
        let logits = Tensor([0, 1, 2, -1], shape: [2, 2])
        let first = 1 / (1 + Float(M_E))
        #expect(isClose(clip.probabilities(logits).values, [first, 1 - first, 0.95257413, 0.04742587], within: 1e-6))
        let sigLIP = try TowerGolden(directory: TowerFixture.hfSigLIP.directory).model
        #expect(isClose(sigLIP.probabilities(logits).values, [0.5, 1 - first, 0.8807971, first], within: 1e-6))
        #expect(sigLIP.logitBias == -1.5 && clip.logitBias == 0 && abs(clip.logitScale - exp(2)) < 1e-5)
    }

    @Test func tokensThatDoNotFitAreRefused() throws {
        let model = try TowerGolden(directory: TowerFixture.hfCLIP.directory).model
        let refused: [(text: [Int32], words: String)] = [
            ([], "text 1 has 0 tokens; the model takes 1 to 12"),
            ([Int32](repeating: 1, count: 13), "text 1 has 13 tokens"),
            ([1, 40], "has the token 40; the model knows 0 to 39"),
            ([-1], "has the token -1"),
        ]
        for (text, words) in refused {
            let error = #expect(throws: TextTokenError.self) { try model.textEmbeddings([[1], text]) }
            #expect(error?.description.contains(words) == true)
        }
        #expect(try model.textEmbeddings([]).shape == [0, 12])
    }
}
