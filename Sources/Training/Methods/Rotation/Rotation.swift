import Communication
import Compute
import Datasets
import Imaging
import Layers
import Models

/// Rotation prediction (Gidaris, Singh and Komodakis 2018, "RotNet"): a classifier predicts which of four rotations an
/// image has, for which it must recognize what the image shows.
package final class Rotation: TrainingMethod {
    package let settings: TrainingSettings<RotationSettings>
    package let parameters: TrainedParameters
    /// Takes a slice of a batch's views at a time.
    private let model: TrainableClassifier
    private let slices: BatchSlices
    /// The views of a batch as the model takes them (4B, C, height, width), those of an image together, and their
    /// targets (4B, 4), which are the same for all batches.
    private let views: Tensor
    private let targets: Tensor
    private let dataset: ImageDataset
    /// The held-out images, kept decoded between measurements as far as memory allows.
    private let heldOut: ImageStore

    package init(
        _ settings: TrainingSettings<RotationSettings>, start: TrainingStart, dataset: ImageDataset,
        engine: any Engine, note: (String) -> Void
    ) throws {
        (self.settings, self.dataset) = (settings, dataset)
        let (configuration, viewCount) = (settings.model, ImageRotation.count * settings.run.batchSize)
        let store = ParameterStore(configuration.parameterShapes.map { ($0.name, $0.shape) })
        if case .resumed = start {
        } else {
            let weights = InitialWeights(settings, classes: Self.labels, checkpoint: start.checkpoint)
            for sentence in weights.notes { note(sentence) }
            try weights.fill(store)
        }
        parameters = TrainedParameters(store, settings: settings.run, engine: engine)
        var slices = BatchSlices(batchSize: viewCount, activationCount: 0)
        model = try TrainableClassifier(
            configuration, store: store, precision: settings.run.precision, engine: engine
        ) {
            slices = BatchSlices(batchSize: viewCount, activationCount: $0)
            return slices.size
        }
        self.slices = slices
        views = Tensor(shape: configuration.imageShape(count: viewCount))
        let one = ImageRotation.allCases.flatMap { view in ImageRotation.allCases.map { $0 == view ? Float(1) : 0 } }
        targets = Tensor(
            (0..<settings.run.batchSize).flatMap { _ in one }, shape: [viewCount, ImageRotation.count])
        heldOut = ImageStore(
            dataset, samples: dataset.validation, decoding: settings.decoding,
            memory: settings.run.cacheMemory / 4)
    }

    /// The names of the classes.
    static var labels: [String] { ImageRotation.allCases.map(\.label) }

    package var augmentation: Augmentation { settings.unrotatedImage.split(into: ImageRotation.views) }

    package func pass(_ batch: Batch, step: Int, part: Int) -> Double {
        write(batch, into: views)
        let scale = 1 / Double(settings.run.accumulate * slices.ranges.count)
        return slices.mean { range in
            _ = model.forward(views.rows(range))
            let loss = model.loss(targets.rows(range), scale: scale)
            if loss.isFinite { model.backward() }
            return loss
        }
    }

    package static var measures: MeasuringTime { .afterEpochs }

    /// The accuracy and the loss over the four views of every held-out image, by the weights that are the result.
    package func measure(step: Int, among communicator: any Communicator) throws -> Measurement? {
        guard !dataset.validation.isEmpty else { return nil }
        let images = HeldOutLogits(
            samples: dataset.validation, store: heldOut, batchSize: settings.run.batchSize,
            preprocessing: settings.preprocessing, threads: parameters.engine.threadCount, communicator: communicator)
        let (scores, problems) = try scores(images)
        guard let problems else { return nil }
        var measurement = Measurement(unreadable: problems.unreadable, damaged: problems.damaged)
        guard scores.count > 0 else { return measurement }
        measurement.values = [("validation_loss", scores.loss), ("validation_accuracy", scores.top1)]
        measurement.score = RunState.Best(step: step, score: scores.top1, loss: scores.loss)
        measurement.note = sentence(scores)
        measurement.writeFiles = {
            try EvaluationReport(step: step, scores: scores, classes: Self.labels).write(to: $0)
        }
        return measurement
    }

    private func scores(_ heldOut: HeldOutLogits) throws -> (ClassificationScores, HeldOutLogits.Problems?) {
        let classifier = try Classifier(
            settings.model, from: FrozenParameters(store: parameters.store, weights: parameters.result),
            engine: parameters.engine, batchSize: slices.size)
        let (count, preprocessing) = (ImageRotation.count, settings.preprocessing)
        var scores = ClassificationScores(classCount: count)
        let problems = heldOut.forEach { batch in
            let images = batch.images.flatMap { image in ImageRotation.allCases.map { $0.apply(to: image) } }
            // Between two steps the place of a batch is free.
            let views = views.rows(0..<images.count)
            parameters.engine.fillRows(of: views) { preprocessing.normalize(images[$0], into: &$1) }
            return classifier.logits(views).values
        } _: { logits, _ in
            for view in 0..<count {
                scores.add(logits: Array(logits.dropFirst(view * count).prefix(count)), label: view)
            }
        }
        return (scores, problems)
    }

    /// A classifier of the rotations.
    package var result: (writer: CheckpointWriter, layout: ExportLayout) {
        var writer = CheckpointWriter(
            configuration: settings.model, preprocessing: settings.preprocessing, labels: Self.labels)
        writer.activation = .softmax
        return (writer, writer.preferredLayout)
    }
}
