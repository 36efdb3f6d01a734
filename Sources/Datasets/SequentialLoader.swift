import Imaging

/// Loads every image of a list once, in order, in batches: for validation and evaluation.
///
/// Unreadable images are left out and recorded; the last batch may be smaller. Decoding and preprocessing run on other
/// threads.
public final class SequentialLoader {
    /// The unreadable images so far, in order.
    public private(set) var unreadable: [BatchLoader.Unreadable] = []

    /// The images so far that were read in spite of damage, each once.
    public private(set) var damaged: [BatchLoader.Unreadable] = []

    private let samples: [ImageDataset.Sample]
    private let store: ImageStore
    private let preprocessing: Preprocessing
    private let batchSize: Int
    private let prefetcher: OrderedPrefetcher<ImageStore.Outcome>
    private var taken: Int
    private var batches = 0

    /// Starts to load.
    ///
    /// - Parameters:
    ///   - samples: images of `dataset`.
    ///   - batchSize: at least 1.
    public convenience init(
        _ samples: [ImageDataset.Sample], of dataset: ImageDataset, batchSize: Int, preprocessing: Preprocessing,
        decoding: DecodingOptions = .init(), threads: Int
    ) {
        let store = ImageStore(dataset, samples: samples, decoding: decoding, memory: 0)
        self.init(samples, in: store, batchSize: batchSize, preprocessing: preprocessing, threads: threads)
    }

    /// Starts to load from a store that is kept between validations, so that its images stay decoded.
    ///
    /// - Parameter range: those of the samples to load; nil: all.
    package init(
        _ samples: [ImageDataset.Sample], in store: ImageStore, range: Range<Int>? = nil, batchSize: Int,
        preprocessing: Preprocessing, threads: Int
    ) {
        let range = range ?? 0..<samples.count
        precondition(batchSize >= 1, "SequentialLoader: expected a batch size of 1 or more, got \(batchSize)")
        self.samples = samples
        self.store = store
        self.preprocessing = preprocessing
        self.batchSize = batchSize
        taken = range.lowerBound
        prefetcher = OrderedPrefetcher(
            count: range.count, threads: threads, lookAhead: batchSize + 2 * threads
        ) { index in
            store.result(at: range.lowerBound + index) { image in
                preprocessing.prepare(image)
            } orOfFile: { (bytes, options) throws(ImageError) in
                try preprocessing.prepare(decoding: bytes, options: options).image
            }
        }
    }

    /// The next batch; nil after the last.
    public func next() -> Batch? {
        var images: [Image] = []
        var indices: [Int] = []
        while images.count < batchSize, let outcome = prefetcher.next() {
            switch outcome {
            case .success(let image):
                images.append(image)
                indices.append(taken)
            case .failure(let error):
                unreadable.append(.init(path: samples[taken].path, reason: error.reason(isLenient: store.isLenient)))
            }
            taken += 1
        }
        damaged += store.takeDamaged()
        guard !images.isEmpty else { return nil }
        defer { batches += 1 }
        return Batch(
            step: batches, epoch: 0, part: 0, images: images, indices: indices,
            labels: indices.compactMap { samples[$0].label }, paths: indices.map { samples[$0].path },
            normalization: preprocessing)
    }
}
