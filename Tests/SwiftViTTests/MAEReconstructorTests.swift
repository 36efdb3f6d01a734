import Datasets
import Foundation
import Imaging
import Models
import SwiftViT
import Testing

struct MAEReconstructorTests {
    private static let fixtures = #filePath.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" } + "/Fixtures"
    private let checkpoint = fixtures + "/checkpoints/hf-mae/model.safetensors"
    private let images = ["baseline.jpg", "grey.jpg", "422.jpg", "440.jpg", "rgb.jpg"].map {
        "\(fixtures)/imaging/\($0)"
    }

    private func options(_ change: (inout MAEReconstructor.Options) -> Void) -> MAEReconstructor.Options {
        var options = MAEReconstructor.Options()
        change(&options)
        return options
    }

    @Test func threeLinesReconstructAFile() throws {
        let reconstructor = try MAEReconstructor(checkpoint: checkpoint)
        let reconstruction = try reconstructor.reconstruct(contentsOfFile: images[0])
        #expect(reconstruction.kept.count == 4 && reconstruction.patchCount == 16)
        #expect(reconstruction.prediction.count == 16 * 48)
        #expect(!reconstruction.usesOwnStatistics)
        let panels = reconstruction.panels()
        #expect(panels.width == 4 * 192 + 5 * 8 && panels.height > 192)
    }

    /// The loss that the definition gives for pixels: over the removed patches of the prepared image.
    @Test func theLossIsThatOfTheRemovedPatches() throws {
        let reconstructor = try MAEReconstructor(checkpoint: checkpoint)
        let reconstruction = try reconstructor.reconstruct(contentsOfFile: images[0])
        let planes = reconstructor.preprocessing.normalize(reconstruction.image)
        var sum = 0.0
        for patch in 0..<16 where !reconstruction.kept.contains(patch) {
            for inner in 0..<48 {
                let (row, column, channel) = (inner / 12, inner / 3 % 4, inner % 3)
                let (y, x) = (patch / 4 * 4 + row, patch % 4 * 4 + column)
                let difference = reconstruction.prediction[patch * 48 + inner] - planes[(channel * 16 + y) * 16 + x]
                sum += Double(difference * difference)
            }
        }
        let loss = try #require(reconstruction.loss)
        #expect(abs(loss - sum / (12 * 48)) < 1e-5 * loss)
    }

    @Test(arguments: [1, 2, 3, 8])
    func manyImagesGiveTheSameInOrder(batchSize: Int) throws {
        func run(_ size: Int) throws -> [(String, [Int]?, [Float]?)] {
            let reconstructor = try MAEReconstructor(
                checkpoint: checkpoint,
                options: options {
                    $0.batchSize = size
                    $0.threads = size
                    $0.seed = 7
                })
            var results: [(String, [Int]?, [Float]?)] = []
            var paths = images
            paths.insert("missing.png", at: 2)
            try reconstructor.reconstruct(paths.map { .file($0) }) { input in
                let reconstruction = try? input.result.get()
                results.append((input.path, reconstruction?.kept, reconstruction?.prediction))
            }
            return results
        }
        let (one, other) = (try run(1), try run(batchSize))
        #expect(one.map(\.0) == other.map(\.0) && one.map(\.1) == other.map(\.1) && one.map(\.2) == other.map(\.2))
        #expect(one[2].1 == nil && one.filter { $0.1 != nil }.count == 5)
        // Each image has a mask of its own.
        #expect(Set(one.compactMap(\.1)).count > 1)
    }

    @Test func samplingAndSeedDecideTheMask() throws {
        func kept(_ change: (inout MAEReconstructor.Options) -> Void) throws -> [Int] {
            try MAEReconstructor(checkpoint: checkpoint, options: options(change))
                .reconstruct(contentsOfFile: images[0]).kept
        }
        #expect(try kept { _ in } == kept { $0.seed = 0 })
        #expect(try kept { $0.seed = 1 } != kept { $0.seed = 2 })
        #expect(
            try kept { $0.sampling = .grid } == [0, 10, 2, 8] || kept { $0.sampling = .grid }.sorted() == [0, 2, 8, 10])
        #expect(try kept { $0.maskRatio = 0.5 }.count == 8)
        #expect(try kept { $0.maskRatio = 0 }.sorted() == Array(0..<16))
    }

    /// The checkpoint with another `mask_ratio` line in its `config.json`.
    private func kept(statedRatio line: String, _ change: (inout MAEReconstructor.Options) -> Void = { _ in }) throws
        -> Int
    {
        let folder = FileManager.default.temporaryDirectory.appending(path: "vit-mae-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let original = URL(filePath: checkpoint)
        let place = folder.appending(path: "model.safetensors")
        try FileManager.default.copyItem(at: original, to: place)
        let configuration = original.deletingLastPathComponent().appending(path: "config.json")
        let text = try String(contentsOf: configuration, encoding: .utf8)
        try text.replacing(#""mask_ratio": 0.0,"#, with: line)
            .write(to: folder.appending(path: "config.json"), atomically: true, encoding: .utf8)
        return try MAEReconstructor(checkpoint: place.path, options: options(change))
            .reconstruct(contentsOfFile: images[0]).kept.count
    }

    @Test func theMaskRatioIsTheCheckpoints() throws {
        #expect(try kept(statedRatio: #""mask_ratio": 0.5,"#) == 8)
        #expect(try kept(statedRatio: #""mask_ratio": 0.5,"#) { $0.maskRatio = 0.25 } == 12)
        #expect(try kept(statedRatio: "") == 4)
        // No model is trained with a ratio of 0: transformers is told it to get features of whole images.
        #expect(try kept(statedRatio: #""mask_ratio": 0.0,"#) == 4)
        for wrong in [#""mask_ratio": 1,"#, #""mask_ratio": -0.5,"#, #""mask_ratio": "much","#] {
            #expect(throws: CheckpointError.self) { try kept(statedRatio: wrong) }
        }
    }

    @Test func withoutRemovedPatchesThereIsNoLoss() throws {
        let reconstructor = try MAEReconstructor(checkpoint: checkpoint, options: options { $0.maskRatio = 0 })
        let reconstruction = try reconstructor.reconstruct(contentsOfFile: images[0])
        #expect(reconstruction.loss == nil)
        #expect(reconstruction.masked == reconstruction.image && reconstruction.completed == reconstruction.image)
    }

    @Test func theTargetDecidesHowPatchesAreShown() throws {
        let plain = try MAEReconstructor(checkpoint: checkpoint).reconstruct(contentsOfFile: images[0])
        let normalized = try MAEReconstructor(checkpoint: checkpoint, options: options { $0.target = .normalized })
            .reconstruct(contentsOfFile: images[0])
        #expect(normalized.usesOwnStatistics)
        #expect(plain.prediction == normalized.prediction)
        #expect(plain.loss != normalized.loss)
        #expect(plain.reconstructed != normalized.reconstructed)
        #expect(plain.panels() != normalized.panels())
    }

    @Test func anotherSizeOfImage() throws {
        let reconstructor = try MAEReconstructor(
            checkpoint: checkpoint, options: options { $0.overrides.imageSize = .init(height: 24, width: 32) })
        let reconstruction = try reconstructor.reconstruct(contentsOfFile: images[0])
        #expect(reconstruction.patchCount == 48 && reconstruction.kept.count == 12)
        #expect(reconstruction.image.width == 32 && reconstruction.image.height == 24)
    }

    @Test func whatDoesNotFitIsRefused() throws {
        let encoder = Self.fixtures + "/checkpoints/hf-vit"
        #expect(throws: ModelUseError.noDecoder(path: encoder + "/model.safetensors")) {
            try MAEReconstructor(checkpoint: encoder)
        }
        for ratio in [0.99, 1, -0.1, .nan] {
            #expect(throws: ModelUseError.self) {
                try MAEReconstructor(checkpoint: checkpoint, options: options { $0.maskRatio = ratio })
            }
        }
        #expect(throws: ModelUseError.self) {
            try MAEReconstructor(checkpoint: checkpoint, options: options { $0.target = .mean })
        }
        #expect(throws: ModelUseError.self) {
            try MAEReconstructor(
                checkpoint: checkpoint, options: options { $0.overrides.imageSize = .init(square: 15) })
        }
    }
}
