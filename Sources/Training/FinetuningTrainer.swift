import Checkpoints
import Compute
import Datasets
import Imaging
import Layers
import Models
import Randomness

/// A classifier with its optimiser, and all that happens to a batch on its way into it.
final class FinetuningTrainer: Trainer {
    let settings: FinetuningSettings
    let parameters: TrainedParameters
    /// Takes a slice of a batch at a time.
    private let model: TrainableClassifier
    private let slices: BatchSlices
    private let teacher: Teacher?
    private let dropPath: DropPath?
    private let mixing: Mixing
    private let erasing: RandomErasing
    /// Where a batch is put for the model (B, C, height, width), and what it is to say (B, classes).
    private let images: Tensor
    private let targets: Tensor

    var run: RunSettings { settings.run }
    private var engine: any Engine { parameters.engine }

    /// A model with the weights that `fill` puts into the store.
    init(
        _ settings: FinetuningSettings, engine: any Engine, fill: (ParameterStore) throws -> Void
    ) throws {
        self.settings = settings
        let store = ParameterStore(settings.model.parameterShapes.map { ($0.name, $0.shape) })
        try fill(store)
        parameters = TrainedParameters(store, settings: settings.run, engine: engine) {
            settings.group($0.name, decays: $0.decays)
        }
        let batchSize = settings.batchSize
        var slices = BatchSlices(batchSize: batchSize, activationCount: 0)
        model = try TrainableClassifier(
            settings.model, store: store, keptCount: settings.keptCount, frozenCount: settings.freeze, engine: engine
        ) { activationCount in
            slices = BatchSlices(batchSize: batchSize, activationCount: activationCount)
            return slices.size
        }
        self.slices = slices
        teacher = settings.teacher.isEmpty ? nil : try Teacher(settings.teacher, settings: settings, engine: engine)
        dropPath =
            settings.dropPath > 0
            ? DropPath(rate: settings.dropPath, depth: settings.depth, imageCount: slices.size) : nil
        var mixing = Mixing()
        (mixing.mixupAlpha, mixing.cutmixAlpha) = (settings.mixup, settings.cutmix)
        mixing.smoothing = settings.smoothing
        self.mixing = mixing
        erasing = RandomErasing(probability: settings.erasing)
        let size = settings.imageSize
        images = Tensor(shape: [batchSize, settings.channels, size.height, size.width])
        targets = Tensor(shape: [batchSize, settings.classes.count])
    }

    func pass(_ batch: Batch, step: Int, part: Int) -> Double {
        // All that is random belongs to a step and an image's place in it, however the step is cut into batches; only
        // mixing is of a batch.
        let first = part * settings.batchSize
        write(batch, step: step, first: first)
        var random = CounterRandom(seed: settings.seed, purpose: .mixing, epoch: step, index: part)
        mixing.apply(to: images, labels: batch.labels, targets: targets, engine: engine, using: &random)
        let distillation = distillation()
        weighTargets()
        return slices.mean { range in
            pass(range, step: step, first: first + range.lowerBound, distillation: distillation?.rows(range))
        }
    }

    /// A slice of the batch, whose images are counted from `first` in their step.
    private func pass(
        _ range: Range<Int>, step: Int, first: Int, distillation: TrainableClassifier.Distillation?
    ) -> Double {
        dropPath?.draw(seed: settings.seed, step: step, first: first)
        let mask = mask(step: step, first: first)
        _ = model.forward(images.rows(range), mask: mask, paths: dropPath)
        let loss = model.loss(
            targets.rows(range), distillation: distillation,
            scale: 1 / Double(settings.accumulate * slices.ranges.count))
        if loss.isFinite { model.backward(paths: dropPath) }
        return loss
    }

    /// Puts a batch where the model takes it, and erases parts of it.
    private func write(_ batch: Batch, step: Int, first: Int) {
        let (channels, size) = (settings.channels, settings.imageSize)
        let length = channels * size.height * size.width
        engine.forEachTask(batch.images.count) { slot in
            unsafe batch.write(slot, into: images.buffer)
            guard erasing.probability > 0 else { return }
            var random = CounterRandom(
                seed: settings.seed, purpose: .erasing, epoch: step, index: first + slot)
            unsafe erasing.erase(
                UnsafeMutableBufferPointer(start: images.pointer + slot * length, count: length),
                channels: channels, width: size.width, height: size.height, using: &random)
        }
    }

    /// What the distillation token learns: what the teacher says, and without one the same as the class token.
    private func distillation() -> TrainableClassifier.Distillation? {
        guard settings.hasDistillationToken else { return nil }
        return teacher?.distillation(images) ?? .init(targets: targets, weight: 0.5)
    }

    private func weighTargets() {
        let weights = settings.classWeights
        guard !weights.isEmpty else { return }
        for index in 0..<targets.count { unsafe targets.pointer[index] *= Float(weights[index % weights.count]) }
    }

    /// The patches that the encoder sees; nil: all.
    private func mask(step: Int, first: Int) -> PatchMask? {
        guard settings.patchDropout > 0 else { return nil }
        let noise = MaskSampling.random.noise(
            imageCount: slices.size, grid: settings.model.grid, keptCount: settings.keptCount,
            seed: settings.seed, epoch: step, first: first)
        return PatchMask(
            noise: noise, patchCount: settings.model.patchCount, keptCount: settings.keptCount)
    }

    /// The model of the result, to be used.
    func classifier() throws -> Classifier {
        try Classifier(
            settings.model, from: FrozenParameters(store: parameters.store, weights: parameters.result),
            engine: engine, batchSize: settings.batchSize)
    }

    /// The writer of the result, and the layout that can hold it: transformers' where it has such a model.
    static func writer(_ settings: FinetuningSettings) -> (writer: CheckpointWriter, layout: ExportLayout) {
        let writer = CheckpointWriter(
            configuration: settings.model, preprocessing: settings.preprocessing, labels: settings.classes)
        return (writer, writer.huggingFaceObstacle == nil ? .huggingFace : .timm)
    }

    func export(to directory: RunDirectory) throws {
        let (writer, layout) = Self.writer(settings)
        try export(writer, as: layout, to: directory)
    }
}

extension FinetuningSettings {
    /// What is done to training images before they are normalised.
    var trainingAugmentation: Augmentation {
        var augmentation: Augmentation
        switch augment {
        case .none: augmentation = run.wholeImage
        case .crop:
            var crop = RandomResizedCrop(size: run.extent)
            crop.scale = cropScale[0]...cropScale[1]
            augmentation = Augmentation(crop: crop)
        }
        if flips { augmentation = augmentation.flipping() }
        if turns { augmentation = augmentation.turning() }
        if let operations = RandAugment(policy: randAugment, preprocessing: run.preprocessing) {
            augmentation = augmentation.augmenting(operations)
        }
        return augmentation
    }
}
