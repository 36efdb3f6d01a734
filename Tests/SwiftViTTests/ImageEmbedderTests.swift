import Datasets
import SwiftViT
import Foundation
import Imaging
import Models
import TestTools
import Testing
import Support

struct ImageEmbedderTests {
    private static let fixtures = #filePath.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" } + "/Fixtures"
    private let images = ["baseline.jpg", "cmyk.jpg", "grey.jpg", "422.jpg", "440.jpg"].map {
        "\(fixtures)/imaging/\($0)"
    }

    private func embedder(
        _ name: String = "hf-vit", _ change: (inout ImageEmbedder.Options) -> Void = { _ in }
    ) throws -> ImageEmbedder {
        var options = ImageEmbedder.Options()
        change(&options)
        return try ImageEmbedder(checkpoint: "\(Self.fixtures)/checkpoints/\(name)", options: options)
    }

    @Test func threeLinesEmbedAFile() throws {
        let embedder = try embedder()
        let embedding = try embedder.embed(contentsOfFile: images[0])
        #expect(embedding.values.count == 16 && embedder.shape == [16] && embedder.pooling == .classToken)
        let image = try Image(contentsOfFile: images[0])
        #expect(try embedder.embed(image) == embedding.values)
        let bytes = Array(try Data(contentsOf: URL(filePath: images[0])))
        #expect(embedding.sha256 == SHA256(of: bytes).hex)
    }

    @Test(arguments: [1, 2, 3, 8])
    func manyImagesGiveTheSameInOrder(batchSize: Int) throws {
        let embedder = try embedder {
            $0.batchSize = batchSize
            $0.threads = batchSize
        }
        var paths = images
        paths.insert("missing.png", at: 2)
        var found: [String] = []
        try embedder.embed(paths.map { .file($0) }) { input in
            found.append(input.path)
            switch input.result {
            case .success(let embedding):
                let single = try embedder.embed(contentsOfFile: input.path)
                #expect(embedding.values == single.values)
            case .failure(let error): #expect(error.kind == .noSuchInput && input.path == "missing.png")
            }
        }
        #expect(found == paths)
    }

    @Test func knownImagesAreNotComputed() throws {
        let embedder = try embedder { $0.batchSize = 2 }
        let known = try embedder.embed(contentsOfFile: images[1])
        let stored = [Float](repeating: 7, count: 16)
        var values: [[Float]] = []
        try embedder.embed(
            images.map { .file($0) }, known: { $0 == known.digest ? stored : nil }
        ) { values.append(try $0.result.get().values) }
        #expect(values[1] == stored)
        #expect(try values[2] == embedder.embed(contentsOfFile: images[2]).values)
    }

    /// The encoder of a masked autoencoder receives every patch: changing any of them changes the result.
    @Test func nothingIsMasked() throws {
        let embedder = try embedder("hf-mae") { $0.pooling = .patches }
        #expect(embedder.shape == [16, 16])
        let grey = [UInt8](repeating: 90, count: 16 * 16 * 3)
        let plain = try embedder.embed(Image(width: 16, height: 16, channels: 3, pixels: grey))
        #expect(try embedder.embed(Image(width: 16, height: 16, channels: 3, pixels: grey)) == plain)
        for patch in 0..<16 {
            var pixels = grey
            pixels[((patch / 4 * 4 + 1) * 16 + patch % 4 * 4 + 2) * 3] = 200
            #expect(try embedder.embed(Image(width: 16, height: 16, channels: 3, pixels: pixels)) != plain)
        }
    }

    @Test(arguments: [FeaturePooling.meanPatches, .patches, .classTokenAndMean])
    func normalizedVectorsHaveLengthOne(_ pooling: FeaturePooling) throws {
        let plain = try embedder { $0.pooling = pooling }
        let unit = try embedder {
            $0.pooling = pooling
            $0.isNormalized = true
        }
        let width = pooling == .classTokenAndMean ? 32 : 16
        let (raw, scaled) = try (
            plain.embed(contentsOfFile: images[0]).values, unit.embed(contentsOfFile: images[0]).values
        )
        try #require(raw.count == scaled.count)
        for start in stride(from: 0, to: raw.count, by: width) {
            let row = raw[start..<start + width].map { Double($0) }
            let length = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
            #expect(isClose(row.map { $0 / length }, scaled[start..<start + width], within: 1e-6))
        }
    }

    @Test func theHeadDecidesOnThePooling() throws {
        #expect(try embedder("mae-finetuned/checkpoint-99.pth").pooling == .meanPatches)
        #expect(try embedder("hf-mae/model.safetensors").pooling == .classToken)
    }

    /// A child has copies of all descriptors until it runs its own program.
    @Test func aCopyOfItsDescriptorsDoesNotKeepAJobLocked() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "vit-job-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (embedder, output) = (try embedder { $0.batchSize = 1 }, folder.path + "/out.npy")
        var copies: [Int32] = []
        defer { for copy in copies { close(copy) } }
        func run(resumes: Bool, until last: Int) throws -> EmbeddingJob.Outcome {
            var options = EmbeddingJob.Options()
            options.resumes = resumes
            let inputs = images.map { InputPaths.Input.file($0) }
            return try EmbeddingJob(embedder, inputs: inputs, output: output, options: options).run { done, _ in
                if copies.isEmpty { copies = try descriptors(below: folder.lastPathComponent).map { dup($0) } }
                if done > last { throw CancellationError() }
            }
        }
        #expect(throws: CancellationError.self) { try run(resumes: false, until: 2) }
        #expect(!copies.isEmpty)
        #expect(try run(resumes: true, until: images.count).rows == images.count)
    }

    private func descriptors(below folder: String) throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { Int32($0) }.filter { number in
            let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(number)")
            return place?.contains("/\(folder)/") == true
        }
    }

    @Test func whatDoesNotFitIsRefused() throws {
        #expect(throws: ModelUseError.self) { try embedder { $0.layer = 3 } }
        #expect(throws: ModelUseError.self) { try embedder { $0.layer = -1 } }
        #expect(throws: ModelUseError.self) { try embedder { $0.overrides.imageSize = .init(square: 15) } }
    }
}
