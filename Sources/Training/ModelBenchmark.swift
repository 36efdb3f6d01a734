import Compute
import Layers
import Models
import Randomness
import Support

/// Times a model by itself, on random pixels.
public struct ModelBenchmark: Sendable {
    /// What is timed.
    public enum Task: String, Sendable, Hashable, CaseIterable {
        /// The forward pass of a classifier.
        case classify
        /// A step of masked autoencoding: forward, backward and AdamW.
        case pretrain
        /// A step of supervised training: forward, backward and AdamW.
        case finetune
    }

    /// The result.
    public struct Outcome: Sendable {
        /// A value per round.
        public let millisecondsPerImage: [Double]
        /// Floating-point operations per image, a multiply-add counted as two.
        public let operationsPerImage: Double
        /// The most memory that the process has held by the end of the rounds, in bytes.
        public let peakMemory: Int
        /// The threads that worked: fewer than were asked for where the system refuses more.
        public let threadCount: Int

        /// The most that the cores reach, measured before and after, in multiply-adds and in matrix products: 10⁹ operations
        /// per second.
        public let ceiling: (multiplyAdds: Double, products: Double)

        /// The rate of the median round, in 10⁹ operations per second.
        public var gflops: Double {
            let sorted = millisecondsPerImage.sorted()
            guard let first = sorted.first, first > 0 else { return 0 }
            let middle = sorted.count / 2
            let median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
            return operationsPerImage / median / 1e6
        }
    }

    /// What is timed.
    public var task = Task.classify
    /// The shape of the model; the weights are random.
    public var configuration: any ModelConfiguration
    /// The decoder of masked autoencoding.
    public var decoder = MAEDecoderConfiguration()
    /// How products of matrices are computed; a training step does not take int8.
    public var precision = Precision.float32
    /// Images per forward pass.
    public var batchSize = 8
    /// Number of timed rounds.
    public var rounds = 7
    /// Number of threads; nil: the cores this process may use.
    public var threads: Int?

    /// The forward pass of a model of this shape.
    public init(_ configuration: any ModelConfiguration) { self.configuration = configuration }

    /// A round repeats the pass for this long, and takes the mean.
    private static let shortestRound = Duration.milliseconds(250)

    /// Runs once to warm up and then `rounds` times, as long as `mayBegin` allows; `ended` gets each round's
    /// milliseconds per image.
    ///
    /// Errors: `TrainingError` where a model of this shape cannot be trained so, `MemoryShortage` where it is too large.
    public func run(
        mayBegin: () -> Bool = { true }, ended: (Double) -> Void = { _ in }
    ) throws -> Outcome {
        try memoryNeed.check()
        let engine = Engines.make(threads: threads)
        let before = engine.measureCeiling(precision)
        let images = randomImages()
        let (step, operations) =
            switch task {
            case .classify: try classification(images, engine)
            case .pretrain: try pretraining(images, engine)
            case .finetune: try finetuning(images, engine)
            }
        step()
        var times: [Double] = []
        while times.count < rounds, mayBegin() {
            times.append(round(step))
            ended(times[times.count - 1])
        }
        let peakMemory = PeakMemory.bytes
        let after = engine.measureCeiling(precision)
        return Outcome(
            millisecondsPerImage: times, operationsPerImage: operations, peakMemory: peakMemory,
            threadCount: engine.threadCount,
            ceiling: (max(before.multiplyAdds, after.multiplyAdds), max(before.products, after.products)))
    }

    private var memoryNeed: MemoryNeed {
        switch task {
        case .classify: return .inference(configuration, imageCount: batchSize)
        case .finetune: return .training(configuration, imageCount: batchSize, copies: 4)
        case .pretrain:
            guard let encoder = configuration as? ViTConfiguration else {
                return .training(configuration, imageCount: batchSize, copies: 4)
            }
            let model = MAEConfiguration(encoder: encoder, decoder: decoder)
            return .training(model, imageCount: batchSize, copies: 4)
        }
    }

    /// Milliseconds per image.
    private func round(_ step: () -> Void) -> Double {
        let clock = ContinuousClock()
        let start = clock.now
        var count = 0
        repeat {
            step()
            count += 1
        } while clock.now - start < Self.shortestRound
        return (clock.now - start) / .milliseconds(count * batchSize)
    }

    private func randomImages() -> Tensor {
        let images = Tensor(shape: configuration.imageShape(count: batchSize))
        var random = CounterRandom(seed: 0, purpose: .synthetic)
        images.assign((0..<images.count).map { _ in Float(random.normal()) })
        return images
    }

    private func store(_ shapes: [ParameterShape]) -> ParameterStore {
        let store = ParameterStore(shapes.map { ($0.name, $0.shape) })
        ParameterInitialization.fill(store, seed: 0)
        return store
    }

    private func classification(_ images: Tensor, _ engine: any Engine) throws -> (() -> Void, Double) {
        let model = try Classifier(
            configuration, from: FrozenParameters(store: store(configuration.parameterShapes)), precision: precision,
            engine: engine,
            batchSize: batchSize)
        let logits = Tensor(shape: [batchSize, configuration.classCount])
        return ({ model.logits(images, into: logits) }, configuration.operationCount)
    }

    private func check(_ fault: String?) throws(TrainingError) {
        if let fault { throw TrainingError(.usage, "--task \(task.rawValue): the model cannot be trained: \(fault)") }
    }

    private func pretraining(_ images: Tensor, _ engine: any Engine) throws -> (() -> Void, Double) {
        guard let encoder = configuration as? ViTConfiguration else {
            throw TrainingError(
                .usage, "--task pretrain: a masked autoencoder takes a Vision Transformer as its encoder")
        }
        try check(MAE.fault(encoder).map { "it \($0)" })
        let task = MAEConfiguration(encoder: encoder, decoder: decoder)
        let store = store(task.trainedShapes)
        var slices = BatchSlices(batchSize: batchSize, activationCount: 0)
        let model = try MaskedAutoencoder(
            task, from: store, positions: MAEPositions(task), precision: precision, engine: engine
        ) {
            slices = BatchSlices(batchSize: batchSize, activationCount: $0)
            return slices.size
        }
        var random = CounterRandom(seed: 0, purpose: .masking)
        let mask = PatchMask(
            noise: (0..<slices.size * configuration.patchCount).map { _ in random.uniformFloat() },
            patchCount: configuration.patchCount, keptCount: task.keptCount)
        let step = trainingStep(store, engine) {
            _ = slices.mean { range in
                _ = model.forward(images.rows(range), mask: mask)
                let loss = model.loss(images.rows(range), mask: mask, scale: 1 / Float(slices.ranges.count))
                model.backward()
                return loss
            }
        }
        return (step, 3 * task.operationCount)
    }

    private func finetuning(_ images: Tensor, _ engine: any Engine) throws -> (() -> Void, Double) {
        try check(Classification.fault(configuration))
        var configuration = configuration
        // Training resamples positions once, before the first step.
        configuration.positionImageSize = nil
        let store = store(configuration.parameterShapes)
        var slices = BatchSlices(batchSize: batchSize, activationCount: 0)
        let model = try TrainableClassifier(configuration, store: store, precision: precision, engine: engine) {
            slices = BatchSlices(batchSize: batchSize, activationCount: $0)
            return slices.size
        }
        let targets = Tensor(shape: [batchSize, configuration.classCount])
        targets.assign((0..<targets.count).map { $0 % configuration.classCount == 0 ? 1 : 0 })
        let step = trainingStep(store, engine) {
            _ = slices.mean { range in
                _ = model.forward(images.rows(range))
                let distillation =
                    configuration.hasDistillationToken
                    ? TrainableClassifier.Distillation(targets: targets.rows(range), weight: 0.5) : nil
                let loss = model.loss(
                    targets.rows(range), distillation: distillation, scale: 1 / Double(slices.ranges.count))
                model.backward()
                return loss
            }
        }
        return (step, 3 * configuration.operationCount)
    }

    /// Zeroes the gradients, lets `pass` add to them, and updates the weights.
    private func trainingStep(
        _ store: ParameterStore, _ engine: any Engine, _ pass: @escaping () -> Void
    ) -> () -> Void {
        let optimizer = AdamW(store, settings: AdamW.Settings())
        var count = 0
        return {
            engine.zero(store.gradients)
            pass()
            count += 1
            optimizer.update(step: count, learningRate: 1e-4, engine: engine)
        }
    }
}
