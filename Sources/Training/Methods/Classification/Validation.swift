import Communication
import Compute
import Datasets
import Imaging
import LibC
import Models
import Support

/// The answers of a classifier on images whose classes are known.
struct ValidationOutcome {
    /// An image with the wrong class.
    struct Misclassified {
        let path: String
        let label: Int
        let predicted: Int
        /// Of the wrong class.
        let probability: Double
    }

    var scores: ClassificationScores
    /// The most confident ones, the most confident first.
    var errors: [Misclassified] = []

    private static let mostErrors = 24

    init(classCount: Int) { scores = ClassificationScores(classCount: classCount) }

    /// Counts an image.
    mutating func add(_ logits: [Float], label: Int, path: String) {
        scores.add(logits: logits, label: label)
        let predicted = logits.indices.max { (logits[$0], -$0) < (logits[$1], -$1) } ?? 0
        guard predicted != label else { return }
        let probability = 1 / logits.reduce(0.0) { $0 + exp(Double($1 - logits[predicted])) }
        errors.append(Misclassified(path: path, label: label, predicted: predicted, probability: probability))
        errors.sort { $0.probability > $1.probability }
        if errors.count > Self.mostErrors { errors.removeLast() }
    }
}

/// The held-out images of a run, which are measured again and again.
struct Validation {
    private let dataset: ImageDataset
    private let settings: TrainingSettings<ClassificationSettings>
    private let store: ImageStore
    private let threads: Int

    /// `nil` where nothing is held out.
    init?(_ dataset: ImageDataset, settings: TrainingSettings<ClassificationSettings>, threads: Int) {
        guard !dataset.validation.isEmpty else { return nil }
        self.dataset = dataset
        self.settings = settings
        self.threads = threads
        store = ImageStore(
            dataset, samples: dataset.validation, decoding: settings.decoding,
            memory: settings.run.cacheMemory / 4)
    }

    /// Classifies every image by the weights that are the result; those that cannot be read are left out.
    func measure(
        _ method: Classification, step: Int, among communicator: any Communicator
    ) throws -> Measurement? {
        let model = try method.classifier()
        let (configuration, batchSize) = (settings.model, settings.run.batchSize)
        let classCount = configuration.classCount
        let images = Tensor(shape: configuration.imageShape(count: batchSize))
        let logits = Tensor(shape: [batchSize, classCount])
        let heldOut = HeldOutLogits(
            samples: dataset.validation, store: store, batchSize: batchSize, preprocessing: settings.preprocessing,
            threads: threads, communicator: communicator)
        var outcome = ValidationOutcome(classCount: classCount)
        let problems = heldOut.forEach { batch in
            let count = batch.images.count
            method.write(batch, into: images)
            model.logits(images.rows(0..<count), into: logits.rows(0..<count))
            return logits.values(in: 0..<count * classCount)
        } _: { logits, sample in
            if let label = sample.label { outcome.add(Array(logits), label: label, path: sample.path) }
        }
        guard let problems else { return nil }
        var measurement = Measurement(unreadable: problems.unreadable, damaged: problems.damaged)
        let scores = outcome.scores
        guard scores.count > 0 else { return measurement }
        measurement.values = [("validation_loss", scores.loss), ("validation_accuracy", scores.top1)]
        let measure = settings.method.bestBy
        let score = measure.score(scores)
        measurement.score = RunState.Best(step: step, score: score, loss: scores.loss)
        measurement.note =
            "\(fixed(100 * scores.top1, 2)) % of \(scores.count) held-out images correct, loss \(fixed(scores.loss, 4))"
        if let name = measure.metric {
            measurement.values.append((name, score))
            measurement.note? += ", \(measure.rawValue) \(fixed(100 * score, 2)) %"
        }
        measurement.writeFiles = { [outcome] directory in try write(outcome, step: step, to: directory) }
        return measurement
    }

    /// Writes `evaluation.json` and the images of the most confident errors.
    private func write(_ outcome: ValidationOutcome, step: Int, to run: RunDirectory) throws {
        let classes = settings.method.classes
        var errors: [JSON] = []
        try OutputDirectory.write(run.errors, existing: .replace) { directory in
            for (number, error) in outcome.errors.enumerated() {
                guard let image = image(error.path) else { continue }
                let name = "\(number + 1).jpg"
                try Files.write(image.encodedJPEG(quality: 90), to: Files.join(directory, name))
                errors.append(
                    .object([
                        JSON.Member("path", .string(error.path)),
                        JSON.Member("label", .string(classes[error.label])),
                        JSON.Member("predicted", .string(classes[error.predicted])),
                        JSON.Member("probability", .number(error.probability)),
                        JSON.Member("picture", .string(name)),
                    ]))
            }
        }
        try EvaluationReport(step: step, scores: outcome.scores, classes: classes, errors: errors).write(to: run)
    }

    /// An image as the model gets it, in 8 bits; nil where it cannot be read.
    private func image(_ path: String) -> Image? {
        guard let index = dataset.validation.firstIndex(where: { $0.path.equalsBytewise(path) }),
            case .success(let image) = store.image(at: index)
        else { return nil }
        return settings.preprocessing.prepare(image)
    }
}
