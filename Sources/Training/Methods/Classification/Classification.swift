import Communication
import Compute
import Datasets
import Imaging
import Layers
import Models
import Randomness
import Support

/// Supervised training of a classifier, from a checkpoint or from scratch.
package final class Classification: TrainingMethod {
    package let settings: TrainingSettings<ClassificationSettings>
    package let parameters: TrainedParameters
    /// Takes a slice of a batch at a time.
    private let model: TrainableClassifier
    private let slices: BatchSlices
    private let teacher: Teacher?
    private let dropPath: DropPath?
    private let mixing: Mixing
    private let erasing: RandomErasing
    /// A batch as the model takes it (B, C, height, width), and its targets (B, classes).
    private let images: Tensor
    private let targets: Tensor
    private let validation: Validation?

    private var engine: any Engine { parameters.engine }

    package init(
        _ settings: TrainingSettings<ClassificationSettings>, start: TrainingStart, dataset: ImageDataset,
        engine: any Engine, note: (String) -> Void
    ) throws {
        self.settings = settings
        let (method, configuration, batchSize) = (settings.method, settings.model, settings.run.batchSize)
        let store = ParameterStore(configuration.parameterShapes.map { ($0.name, $0.shape) })
        if case .resumed = start {
        } else {
            let weights = InitialWeights(settings, classes: method.classes, checkpoint: start.checkpoint)
            for sentence in weights.notes { note(sentence) }
            if let obstacle = CheckpointWriter(settings).huggingFaceObstacle {
                note("transformers has no model with \(obstacle); the result will be in timm's layout")
            }
            try weights.fill(store)
        }
        parameters = TrainedParameters(store, settings: settings.run, engine: engine) {
            settings.group($0.name, decays: $0.decays)
        }
        var slices = BatchSlices(batchSize: batchSize, activationCount: 0)
        model = try TrainableClassifier(
            configuration, store: store, keptCount: settings.keptCount, frozenCount: method.freeze,
            precision: settings.run.precision, engine: engine
        ) {
            slices = BatchSlices(batchSize: batchSize, activationCount: $0)
            return slices.size
        }
        self.slices = slices
        teacher = method.teacher.isEmpty ? nil : try Teacher(method.teacher, settings: settings, engine: engine)
        dropPath =
            method.dropPath > 0
            ? DropPath(rate: method.dropPath, depth: configuration.depth, imageCount: slices.size) : nil
        var mixing = Mixing()
        (mixing.mixupAlpha, mixing.cutmixAlpha) = (method.mixup, method.cutmix)
        mixing.smoothing = method.smoothing
        self.mixing = mixing
        erasing = RandomErasing(probability: method.erasing)
        images = Tensor(shape: configuration.imageShape(count: batchSize))
        targets = Tensor(shape: [batchSize, configuration.classCount])
        validation = Validation(dataset, settings: settings, threads: engine.threadCount)
    }

    package var augmentation: Augmentation {
        let method = settings.method
        var augmentation = settings.wholeImage
        if method.augment == .crop {
            var crop = RandomResizedCrop(size: settings.encoder.imageSize)
            crop.scale = method.cropScale...1
            augmentation = Augmentation(crop: crop)
        }
        if method.flips { augmentation = augmentation.flipping() }
        if method.rotates { augmentation = augmentation.rotatingByQuarters() }
        if let operations = RandAugment(policy: method.randAugment, preprocessing: settings.preprocessing) {
            augmentation = augmentation.augmenting(operations)
        }
        return augmentation
    }

    package func pass(_ batch: Batch, step: Int, part: Int) -> Double {
        // Everything random belongs to a step and an image's place in it, however the step is cut into batches; only
        // mixing is of a batch.
        let (seed, first, size) = (settings.run.seed, part * settings.run.batchSize, settings.encoder.imageSize)
        write(batch, into: images) { slot, values in
            guard erasing.probability > 0 else { return }
            var random = CounterRandom(seed: seed, purpose: .erasing, epoch: step, index: first + slot)
            erasing.erase(
                &values, channels: settings.encoder.inputChannels, width: size.width, height: size.height,
                using: &random)
        }
        var random = CounterRandom(seed: seed, purpose: .mixing, epoch: step, index: part)
        mixing.apply(to: images, labels: batch.labels, targets: targets, engine: engine, using: &random)
        let distillation = distillation()
        weightTargets()
        return slices.mean { range in
            pass(range, step: step, first: first + range.lowerBound, distillation: distillation?.rows(range))
        }
    }

    /// A slice of the batch, whose images are counted from `first` in their step.
    private func pass(
        _ range: Range<Int>, step: Int, first: Int, distillation: TrainableClassifier.Distillation?
    ) -> Double {
        dropPath?.draw(seed: settings.run.seed, step: step, first: first)
        let mask = mask(step: step, first: first)
        _ = model.forward(images.rows(range), mask: mask, paths: dropPath)
        let loss = model.loss(
            targets.rows(range), distillation: distillation,
            scale: 1 / Double(settings.run.accumulate * slices.ranges.count))
        if loss.isFinite { model.backward(paths: dropPath) }
        return loss
    }

    /// What the distillation token learns: the teacher's answer, and without one the same as the class token.
    private func distillation() -> TrainableClassifier.Distillation? {
        guard settings.encoder.hasDistillationToken else { return nil }
        return teacher?.distillation(images) ?? .init(targets: targets, weight: 0.5)
    }

    private func weightTargets() {
        let weights = settings.method.classWeights.values
        guard !weights.isEmpty else { return }
        targets.assign(targets.values.enumerated().map { $1 * Float(weights[$0 % weights.count]) })
    }

    /// The patches that the encoder gets; nil: all.
    private func mask(step: Int, first: Int) -> PatchMask? {
        guard settings.method.patchDropout > 0 else { return nil }
        let noise = MaskSampling.random.noise(
            imageCount: slices.size, grid: settings.encoder.grid, keptCount: settings.keptCount,
            seed: settings.run.seed, epoch: step, first: first)
        return PatchMask(noise: noise, patchCount: settings.encoder.patchCount, keptCount: settings.keptCount)
    }

    package static func memoryNeed(_ settings: TrainingSettings<ClassificationSettings>) -> MemoryNeed {
        .training(
            settings.model, imageCount: settings.run.batchSize, copies: settings.run.copies,
            tokenCount: settings.encoder.prefixCount + settings.keptCount,
            blockCount: settings.encoder.depth - settings.method.freeze)
    }

    package static var measures: MeasuringTime { .afterEpochs }

    /// The accuracy on held-out images, and the most confident errors.
    package func measure(step: Int, among communicator: any Communicator) throws -> Measurement? {
        try validation?.measure(self, step: step, among: communicator)
    }

    /// A classifier with the weights of the result.
    func classifier() throws -> Classifier {
        try Classifier(
            settings.model, from: FrozenParameters(store: parameters.store, weights: parameters.result),
            engine: engine, batchSize: settings.run.batchSize)
    }

    package var result: (writer: CheckpointWriter, layout: ExportLayout) {
        let writer = CheckpointWriter(settings)
        return (writer, writer.preferredLayout)
    }
}

extension CheckpointWriter {
    fileprivate init(_ settings: TrainingSettings<ClassificationSettings>) {
        self.init(
            configuration: settings.model, preprocessing: settings.preprocessing, labels: settings.method.classes)
        activation = .softmax
    }
}
