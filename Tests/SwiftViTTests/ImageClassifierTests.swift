import Datasets
import SwiftViT
import Imaging
import Testing

struct ImageClassifierTests {
    private static let fixtures = #filePath.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" } + "/Fixtures"
    private let checkpoint = fixtures + "/checkpoints/hf-vit"
    private let images = ["baseline.jpg", "cmyk.jpg", "grey.jpg", "422.jpg", "440.jpg"].map {
        "\(fixtures)/imaging/\($0)"
    }

    @Test func threeLinesClassifyAFile() throws {
        let classifier = try ImageClassifier(checkpoint: checkpoint)
        let predictions = try classifier.classify(contentsOfFile: images[0], top: 5)
        #expect(predictions.count == 5)
        #expect(Set(predictions.map(\.label)) == ["ant", "bee", "cicada", "dragonfly", "earwig"])
        #expect(abs(predictions.map(\.probability).reduce(0, +) - 1) < 1e-6)
        let image = try Image(contentsOfFile: images[0])
        #expect(try classifier.classify(image, top: 5) == predictions)
    }

    @Test(arguments: [1, 2, 3, 8])
    func manyImagesGiveTheSameAnswersInOrder(batchSize: Int) throws {
        var options = ImageClassifier.Options()
        options.batchSize = batchSize
        options.threads = batchSize
        let classifier = try ImageClassifier(checkpoint: checkpoint, options: options)
        var paths = images
        paths.insert("missing.png", at: 2)
        var found: [String] = []
        try classifier.classify(paths.map { InputPaths.Input.file($0) }) { input in
            found.append(input.path)
            switch input.result {
            case .success(let classification):
                let single = try classifier.classify(contentsOfFile: input.path, top: 5)
                #expect(classification.predictions(top: 5) == single)
            case .failure(let error):
                #expect(error.kind == .noSuchInput && input.path == "missing.png")
            }
        }
        #expect(found == paths)
    }

    @Test func whatTheCallerThrowsEndsTheRun() throws {
        struct Enough: Error {}
        let classifier = try ImageClassifier(checkpoint: checkpoint)
        var count = 0
        #expect(throws: Enough.self) {
            try classifier.classify(images.map { InputPaths.Input.file($0) }) { _ in
                count += 1
                if count == 2 { throw Enough() }
            }
        }
        #expect(count == 2)
    }

    @Test func noInputsNoResults() throws {
        let classifier = try ImageClassifier(checkpoint: checkpoint)
        try classifier.classify([]) { _ in Issue.record("there was no input") }
    }

    @Test func aModelWithoutAHeadIsRefused() {
        let path = Self.fixtures + "/checkpoints/hf-vit-model"
        #expect(throws: ModelUseError.noHead(path: path + "/pytorch_model.bin")) {
            try ImageClassifier(checkpoint: path)
        }
    }
}
