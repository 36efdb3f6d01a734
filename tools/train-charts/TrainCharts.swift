import ArgumentParser
import Checkpoints
import Compute
import Datasets
import Imaging
import Layers
import Models
import Training

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Goes on training a chart classifier on this package's engine: a recipe as a program.
///
/// Cross-entropy with labels smoothed by 0.1, AdamW (0.9, 0.98), decay 0.05, gradients clipped at 1, a warm-up of 40
/// steps and a cosine to nothing; first a part of each figure's patches, at the end all. What is written is the moving
/// average of the weights.
@main
struct TrainCharts: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train-charts",
        abstract: "Go on training a chart classifier; see checkpoints/charts-vit-tiny/README.md.")

    @Argument(help: "DIR/KIND/ of generated figures.")
    var data: String
    @Option(help: "The checkpoint to start from.")
    var initial: String
    @Option(help: "The directory to write, for transformers and vit.")
    var output: String
    @Option(help: "Pairs PATCHES:IMAGES, one after the other.")
    var phases = "98:64000,196:16000"
    @Option(help: "The highest learning rate.")
    var rate = 7e-4
    @Option var batchSize = 32
    @Option var seed: UInt64 = 1
    @Option(help: "Threads that compute; by default, the cores this process may use.")
    var threads: Int?
    @Option(help: "How often the average so far is written to OUTPUT.")
    var saveEvery = 1000

    func run() throws {
        let checkpoint = try Checkpoint.open(initial)
        let run = try ChartRun(checkpoint, command: self)
        for (keptCount, steps) in try parsedPhases() { try run.train(keptCount: keptCount, steps: steps) }
        try run.write(to: output)
    }

    /// Patches that a step sees, and how many steps.
    func parsedPhases() throws -> [(keptCount: Int, steps: Int)] {
        try phases.split(separator: ",").map { phase in
            let numbers = phase.split(separator: ":").compactMap { Int($0) }
            guard numbers.count == 2, numbers[0] > 0 else {
                throw ValidationError("--phases takes PATCHES:IMAGES,…, not \(phases)")
            }
            return (numbers[0], numbers[1] / batchSize)
        }
    }
}

/// The state of a run over all phases.
private final class ChartRun {
    private let command: TrainCharts
    private let checkpoint: Checkpoint
    private let configuration: ViTConfiguration
    private let engine: OneDNNEngine
    private let pool: WorkerPool
    private let store: ParameterStore
    private let optimizer: AdamW
    private let average: Tensor
    private let loader: BatchLoader
    private let schedule: LearningRateSchedule
    private var step = 0

    init(_ checkpoint: Checkpoint, command: TrainCharts) throws {
        self.command = command
        self.checkpoint = checkpoint
        configuration = checkpoint.configuration
        engine = OneDNNEngine(threadCount: command.threads)
        pool = WorkerPool(threadCount: engine.threadCount)
        store = ParameterStore(configuration.parameterShapes.map { ($0.name, $0.shape) })
        for entry in store.entries {
            try store.parameter(entry.name).value.assign(checkpoint.tensor(entry.name).values)
        }
        var settings = AdamW.Settings()
        settings.beta2 = 0.98
        optimizer = AdamW(store, settings: settings)
        average = Tensor(store.weights.values, shape: store.weights.shape)
        var options = BatchLoader.Options(
            batchSize: command.batchSize,
            augmentation: ChartAugmentation.steps(side: configuration.imageSize.width),
            normalization: checkpoint.preprocessing)
        options.seed = command.seed
        options.cacheMemory = 4 << 30
        loader = try BatchLoader(ImageDataset(at: command.data), options: options)
        schedule = LearningRateSchedule(
            peak: command.rate, warmupSteps: 40, totalSteps: try command.parsedPhases().reduce(0) { $0 + $1.steps })
    }

    func train(keptCount: Int, steps: Int) throws {
        let size = configuration.imageSize
        let model = try TrainableClassifier(
            configuration, store: store, batchSize: command.batchSize, keptCount: keptCount, engine: engine)
        let images = Tensor(shape: [command.batchSize, 3, size.height, size.width])
        let targets = Tensor(shape: [command.batchSize, configuration.classCount])
        let noise = Tensor(shape: [command.batchSize, configuration.patchCount])
        var sum = 0.0
        for _ in 0..<steps {
            let batch = try loader.next()
            prepare(batch, images: images, noise: noise)
            targets.assign(batch.labels.flatMap(smoothed))
            let mask = PatchMask(noise: noise.values, patchCount: configuration.patchCount, keptCount: keptCount)
            engine.clear(store.gradients)
            _ = model.forward(images, mask: mask)
            sum += model.loss(targets)
            model.backward(mask: mask)
            step += 1
            let scale = AdamW.clippingScale(norm: engine.norm(store.gradients), limit: 1)
            optimizer.update(
                step: step, learningRate: schedule.rate(at: step), gradientScale: scale, engine: engine)
            updateAverage()
            if step % 100 == 0 {
                print("step \(step) of \(schedule.totalSteps), patches \(keptCount), loss \(sum / 100)")
                fflush(nil)
                sum = 0
            }
            if step % command.saveEvery == 0 { try write(to: command.output) }
        }
    }

    /// Pixels, and the noise by which patches are kept.
    private func prepare(_ batch: Batch, images: Tensor, noise: Tensor) {
        pool.run(command.batchSize) { slot, _ in
            unsafe batch.write(slot, into: images.buffer)
            let image = images.rows(slot..<slot + 1).reshaped(Array(images.shape.dropFirst()))
            PatchChoice.draw(
                image, patch: configuration.patchSize.width, step: step, index: slot, seed: command.seed,
                into: noise.rows(slot..<slot + 1))
        }
    }

    private func smoothed(_ label: Int) -> [Float] {
        let rest = 0.1 / Float(configuration.classCount)
        return (0..<configuration.classCount).map { $0 == label ? 0.9 + rest : rest }
    }

    /// A short memory at first, 500 steps in the end.
    private func updateAverage() {
        let share = 1 - Float(min(0.998, Double(step) / Double(step + 19)))
        let length = 1 << 16
        pool.run((average.count + length - 1) / length) { part, _ in
            let range = part * length..<min((part + 1) * length, average.count)
            let (values, current) = unsafe (average.buffer, store.weights.buffer)
            for index in range { unsafe values[index] += share * (current[index] - values[index]) }
        }
    }

    func write(to directory: String) throws {
        var writer = CheckpointWriter(
            configuration: configuration, preprocessing: checkpoint.preprocessing, labels: checkpoint.labels)
        writer.halfPrecision = true
        let places = Dictionary(uniqueKeysWithValues: store.entries.map { ($0.name, $0) })
        try writer.write(to: directory, as: .huggingFace) { (name) throws(CheckpointError) in
            guard let entry = places[name] else { return try self.checkpoint.tensor(name) }
            let values = self.average.values[entry.offset..<entry.offset + entry.count]
            return Tensor(Array(values), shape: entry.shape)
        }
    }
}
