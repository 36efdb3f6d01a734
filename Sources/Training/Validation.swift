import Checkpoints
import Compute
import Datasets
import Imaging
import Models

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What a classifier makes of images whose classes are known.
struct ValidationOutcome {
    /// An image that was put into a wrong class.
    struct Mistake {
        let path: String
        let label: Int
        let predicted: Int
        /// Of the wrong class.
        let probability: Double
    }

    var scores: ClassificationScores
    /// The surest first.
    var mistakes: [Mistake] = []
    /// Those that could not be read, and do not count.
    var unreadable: [BatchLoader.Unreadable] = []

    private static let mostMistakes = 24

    init(classCount: Int) { scores = ClassificationScores(classCount: classCount) }

    /// Counts an image.
    mutating func add(_ logits: [Float], label: Int, path: String) {
        scores.add(logits: logits, label: label)
        let predicted = logits.indices.max { (logits[$0], -$0) < (logits[$1], -$1) } ?? 0
        guard predicted != label else { return }
        let probability = 1 / logits.reduce(0.0) { $0 + exp(Double($1 - logits[predicted])) }
        mistakes.append(Mistake(path: path, label: label, predicted: predicted, probability: probability))
        mistakes.sort { $0.probability > $1.probability }
        if mistakes.count > Self.mostMistakes { mistakes.removeLast() }
    }
}

/// The held-out images of a run, measured again and again.
struct Validation {
    private let dataset: ImageDataset
    private let settings: FinetuningSettings
    private let store: ImageStore
    private let threads: Int

    /// `nil` where nothing is held out.
    init?(_ dataset: ImageDataset, settings: FinetuningSettings, threads: Int) {
        guard !dataset.validation.isEmpty else { return nil }
        self.dataset = dataset
        self.settings = settings
        self.threads = threads
        var decoding = DecodingOptions()
        decoding.channels = settings.channels
        store = ImageStore(
            root: dataset.root, samples: dataset.validation, decoding: decoding, memory: settings.cacheMemory / 4)
    }

    /// Every image once, by the weights that are the result; those that cannot be read are left out.
    func measure(_ trainer: FinetuningTrainer) throws -> ValidationOutcome {
        let model = try trainer.classifier()
        let (size, classCount) = (settings.imageSize, settings.classes.count)
        let images = Tensor(shape: [settings.batchSize, settings.channels, size.height, size.width])
        let logits = Tensor(shape: [settings.batchSize, classCount])
        let loader = SequentialLoader(
            dataset.validation, in: store, batchSize: settings.batchSize, preprocessing: settings.preprocessing,
            threads: threads)
        var outcome = ValidationOutcome(classCount: classCount)
        while let batch = loader.next() {
            let count = batch.images.count
            trainer.write(batch, into: images)
            model.logits(images.rows(0..<count), into: logits.rows(0..<count))
            let values = logits.values
            for (slot, label) in batch.labels.enumerated() {
                outcome.add(
                    Array(values[slot * classCount..<(slot + 1) * classCount]), label: label, path: batch.paths[slot])
            }
        }
        outcome.unreadable = loader.unreadable
        return outcome
    }

    /// An image as the model sees it, in 8 bits; nil where it cannot be read.
    func image(_ path: String) -> Image? {
        guard let index = dataset.validation.firstIndex(where: { $0.path == path }),
            case .success(let image) = store.image(at: index)
        else { return nil }
        return settings.preprocessing.prepare(image)
    }
}
