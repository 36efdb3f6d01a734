import SwiftViT
import Testing

/// Uses the library as another package does: `import SwiftViT` alone, and public symbols only.
struct InferenceTests {
    private let files = UserFiles()

    @Test func classification() throws {
        let classifier = try ImageClassifier(checkpoint: files.checkpoint("hf-vit"))
        let predictions = try classifier.classify(contentsOfFile: files.image, top: 3)
        #expect(predictions.count == 3 && predictions[0].probability >= predictions[1].probability)
        #expect(predictions.allSatisfy { ["ant", "bee", "cicada", "dragonfly", "earwig"].contains($0.label) })
        var paths: [String] = []
        try classifier.classify(InputPaths(expanding: files.images).inputs) { input in
            #expect((try? input.result.get())?.logits.count == 5)
            paths.append(input.path)
        }
        #expect(paths == files.images)
    }

    @Test func embeddingsAndSearch() throws {
        var options = ImageEmbedder.Options()
        options.isNormalized = true
        let embedder = try ImageEmbedder(checkpoint: files.checkpoint("hf-vit"), options: options)
        let vector = try embedder.embed(contentsOfFile: files.images[1]).values
        #expect(embedder.shape == [vector.count])
        let output = try files.scratch("photos.npy")
        let inputs = files.images.map { InputPaths.Input.file($0) }
        let outcome = try EmbeddingJob(embedder, inputs: inputs, output: output).run()
        #expect(outcome.rows == files.images.count && outcome.failures == 0)
        let search = try EmbeddingSearch(contentsOfFile: output)
        #expect(search.count == files.images.count && search.dimension == vector.count)
        let matches = search.nearest(2, to: [vector])[0]
        #expect(matches.count == 2 && matches[0].row == 1 && abs(matches[0].similarity - 1) < 1e-5)
        #expect(try search.paths(of: [1]) == [1: files.images[1]])
        #expect(try search.copies().comparedByPixels == files.images.count)
        #expect(try search.duplicates(atLeast: -1).groups.map(\.rows) == [Array(files.images.indices)])
    }

    @Test func attention() throws {
        var options = AttentionReader.Options()
        options.layer = 1
        let reader = try AttentionReader(checkpoint: files.checkpoint("hf-vit"), options: options)
        let maps = try reader.read(contentsOfFile: files.image)
        #expect(maps.layer == 1 && maps.meanMap.count == 16)
        #expect(maps.drawn(.sheet).width > maps.image.width)
    }

    @Test func reconstruction() throws {
        let reconstructor = try MAEReconstructor(checkpoint: files.checkpoint("hf-mae/model.safetensors"))
        let reconstruction = try reconstructor.reconstruct(contentsOfFile: files.image)
        #expect(reconstruction.kept.count == 4)
        #expect(!reconstruction.panels().encodedPNG().isEmpty)
    }
}
