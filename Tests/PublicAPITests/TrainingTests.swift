import SwiftViT
import Testing

/// Evaluates and trains as another package does: `import SwiftViT` alone, and public symbols only.
struct TrainingTests {
    private let files = UserFiles()

    @Test func evaluation() throws {
        let classifier = try ImageClassifier(checkpoint: files.checkpoint("hf-vit"))
        let dataset = try classifier.dataset(at: files.classFolders(), options: ImageDataset.Options())
        let (_, samples) = try dataset.evaluationSamples(of: nil)
        let scores = try classifier.evaluate(samples, of: dataset) { _ in }
        #expect(scores.count == samples.count && (0...1).contains(scores.top1))
    }

    @Test func probes() throws {
        let embedder = try ImageEmbedder(checkpoint: files.checkpoint("hf-vit"))
        let dataset = try ImageDataset(at: files.classFolders())
        let features = try embedder.features(of: dataset.training, in: dataset) { _ in }
        let neighbors = NearestNeighborProbe().run(
            training: features, evaluation: features, classCount: dataset.classes.count)
        #expect(neighbors.map(\.neighborCount) == [10, 20, 100])
    }

    @Test func finetuning() throws {
        var options = ClassificationOptions(data: try files.classFolders())
        (options.width, options.depth, options.heads) = (16, 1, 2)
        options.imageSize = Size(square: 16)
        options.patchSize = Size(square: 8)
        (options.steps, options.batchSize, options.mixup) = (2, 4, 0)
        #expect(options.epochs == nil && options.depth == 1)
        #expect(try options.plan(observer: RunObserver()).run.steps == 2)
        let run = try TrainingRun.open(
            options, output: try files.scratch("run"), resumes: false, threads: 2, observer: RunObserver())
        #expect(try run.train().isComplete)
        #expect(run.settings.run.batchSize == 4 && run.settings.method.classes.count >= 2)
    }

    @Test func pretraining() throws {
        var options = MAEOptions(data: try files.classFolders())
        (options.width, options.depth, options.heads) = (16, 1, 2)
        options.imageSize = Size(square: 16)
        options.patchSize = Size(square: 4)
        (options.steps, options.batchSize) = (2, 4)
        let run = try TrainingRun.open(
            options, output: try files.scratch("run"), resumes: false, threads: 2, observer: RunObserver())
        #expect(try run.train().isComplete)
    }
}
