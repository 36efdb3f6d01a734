import Imaging
import Randomness
import Support

/// The batches of a training run, decoded and augmented on other threads while a step runs.
///
/// A batch is a function of the samples, the seed and the batch's index in the run alone: not of the number of threads, the
/// memory for decoded images, or what was loaded before. A run that starts at step 1,000 gets the same batches as an
/// uninterrupted run.
///
/// An image that cannot be read is reported once and replaced: its slot in the epoch draws other images, from a random
/// stream of its own, until one can be read. So a bad file affects no other slot, and no state has to be kept.
public final class BatchLoader {
    /// The options.
    public struct Options: Sendable {
        /// Images in a batch.
        public var batchSize: Int
        /// Batches per step. Images and their order are those of one large batch.
        public var accumulate = 1
        /// Which of `count` equal shares of each step's batches to load, counted from 0: those of one of several processes.
        public var share: (index: Int, count: Int) = (0, 1)
        /// The seed of order, augmentation and replacements.
        public var seed: UInt64 = 0
        /// The augmentation, whose results all have one size.
        public var augmentation: Augmentation
        /// Mean and standard deviation; size and crop are the augmentation's.
        public var normalization: Preprocessing
        /// Limits and channels of decoding.
        public var decoding = DecodingOptions()
        /// The number of decoding threads.
        public var threads = 2
        /// The maximum size of the decoded images kept in memory, in bytes.
        public var cacheMemory = 0
        /// Whether the first unreadable image ends the run.
        public var isStrict = false

        /// Options with defaults for the rest.
        public init(batchSize: Int, augmentation: Augmentation, normalization: Preprocessing) {
            self.batchSize = batchSize
            self.augmentation = augmentation
            self.normalization = normalization
        }
    }

    /// An image that could not be read.
    public struct Unreadable: Sendable, Equatable, Codable {
        /// The file, relative to the set's root.
        public let path: String
        /// Why, in one sentence without the file's name.
        public let reason: String

        package init(path: String, reason: String) {
            self.path = path
            self.reason = reason
        }
    }

    /// Steps and epochs.
    public let plan: EpochPlan
    /// The unreadable images so far, in the order in which they were met.
    public private(set) var unreadable: [Unreadable]

    private let dataset: ImageDataset
    private let samples: [ImageDataset.Sample]
    private let options: Options
    private let report: (Unreadable) -> Void
    private let store: ImageStore
    private let prefetcher: OrderedPrefetcher<LoadedSlot>
    private var named: Set<BytewiseText>
    private var nextBatch: Int
    /// Batches of a step that this loader loads.
    private let batchesPerStep: Int

    /// Starts to load.
    ///
    /// Errors: `InputError` if a step needs more images than there are.
    /// - Parameters:
    ///   - part: the part to load.
    ///   - step: the first step, for a run that is resumed.
    ///   - unreadable: what the run reported before it was interrupted, and does not report again.
    ///   - report: called from within `next` once for each file that cannot be read, or is read in spite of damage where
    ///     `options.decoding.onDamage` allows that.
    public init(
        _ dataset: ImageDataset, part: ImageDataset.Part = .training, options: Options, startingAt step: Int = 0,
        unreadable: [Unreadable] = [], report: @escaping (Unreadable) -> Void = { _ in }
    ) throws(InputError) {
        precondition(step >= 0, "BatchLoader: expected a first step of 0 or more, got \(step)")
        self.dataset = dataset
        self.options = options
        self.report = report
        self.unreadable = unreadable
        named = Set(unreadable.map { BytewiseText($0.path) })
        samples = dataset.samples(part)
        let plan = EpochPlan(imageCount: samples.count, batchSize: options.batchSize, accumulate: options.accumulate)
        self.plan = plan
        guard plan.stepsPerEpoch > 0 else {
            throw InputError(
                kind: .malformed, path: dataset.root,
                description:
                    "\(dataset.root): has \(samples.count) images in the \(part.rawValue) part, fewer than the "
                    + "\(plan.imagesPerStep) of a step; expected a smaller batch size or more images")
        }
        store = ImageStore(
            dataset, samples: samples, decoding: options.decoding, memory: options.cacheMemory)
        let source = SlotSource(store: store, plan: plan, seed: options.seed, augmentation: options.augmentation)
        let share = options.share
        precondition(
            (0..<share.count).contains(share.index) && options.accumulate % share.count == 0,
            "BatchLoader: \(options.accumulate) batches of a step cannot be shared as \(share)")
        batchesPerStep = options.accumulate / share.count
        let images = batchesPerStep * options.batchSize
        prefetcher = OrderedPrefetcher(
            count: Int.max - (step + 1) * plan.imagesPerStep, threads: options.threads,
            lookAhead: options.batchSize + 2 * options.threads
        ) { number in
            let (ownStep, image) = number.quotientAndRemainder(dividingBy: images)
            return source.load(image: (step + ownStep) * plan.imagesPerStep + share.index * images + image)
        }
        nextBatch = step * batchesPerStep
    }

    /// The next batch; the sequence never ends.
    ///
    /// Errors: `InputError` if no image can be read, and for the first unreadable one if the loader is strict.
    public func next() throws(InputError) -> Batch {
        var images: [Image] = []
        var indices: [Int] = []
        images.reserveCapacity(options.batchSize)
        indices.reserveCapacity(options.batchSize)
        while indices.count < options.batchSize, let slot = prefetcher.next() {
            for failure in slot.failures { try name(failure) }
            guard !slot.images.isEmpty else {
                throw InputError(
                    kind: .malformed, path: dataset.root,
                    description: "\(dataset.root): none of its \(samples.count) images can be read; expected PNG or "
                        + "JPEG files")
            }
            images += slot.images
            indices.append(slot.index)
        }
        for file in store.takeDamaged() { report(file) }
        let (step, batch) = nextBatch.quotientAndRemainder(dividingBy: batchesPerStep)
        nextBatch += 1
        return Batch(
            step: step, epoch: plan.position(ofStep: step).epoch,
            part: options.share.index * batchesPerStep + batch, images: images, indices: indices,
            labels: indices.compactMap { samples[$0].label }, paths: indices.map { samples[$0].path },
            normalization: options.normalization)
    }

    /// Throws where not only an image is gone, but the whole data set: as if unmounted.
    private func checkPlace(of sample: ImageDataset.Sample) throws(InputError) {
        if case .member(let member) = dataset.input(of: sample) {
            let archive = member.archive
            if archive.isUnchanged { return }
            throw InputError(
                kind: .noSuchInput, path: archive.path,
                description: "\(archive.path): was changed, moved or removed while it was in use; put it back")
        }
        guard Files.isMissing(dataset.file(of: sample)) else { return }
        do throws(FileError) {
            let isThere = try !Files.names(in: dataset.root.isEmpty ? "." : dataset.root).isEmpty
            if isThere { return }
        } catch {
            throw InputError(error)
        }
        throw InputError(
            kind: .noSuchInput, path: dataset.root,
            description: "\(dataset.root): was moved, removed or unmounted while it was in use; put it back")
    }

    private func name(_ failure: LoadedSlot.Failure) throws(InputError) {
        let sample = samples[failure.index]
        guard named.insert(BytewiseText(sample.path)).inserted else { return }
        try checkPlace(of: sample)
        let unreadable = Unreadable(path: sample.path, reason: failure.error.reason(isLenient: store.isLenient))
        self.unreadable.append(unreadable)
        if options.isStrict {
            let file = dataset.file(of: sample)
            throw InputError(kind: .malformed, path: file, description: "\(file): \(unreadable.reason)")
        }
        report(unreadable)
    }
}
