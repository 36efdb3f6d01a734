import Imaging
import Randomness

/// The content of one slot of an epoch, and the files that failed on the way to it.
struct LoadedSlot: Sendable {
    struct Failure: Sendable {
        let index: Int
        let error: ImageError
    }

    /// The augmented image, as one view or several; empty if no image of the set can be read.
    let images: [Image]
    /// The index of the image's sample.
    let index: Int
    let failures: [Failure]
}

/// Fills the slots of the epochs, each as a pure function of its number.
struct SlotSource: Sendable {
    let store: ImageStore
    let plan: EpochPlan
    let seed: UInt64
    let augmentation: Augmentation

    /// The number of random replacements tried before the set is searched from end to end.
    private static let draws = 16

    /// Loads image `number`, counted over all epochs.
    func load(image number: Int) -> LoadedSlot {
        let (epoch, slot) = plan.slot(ofImage: number)
        let own = RandomPermutation(count: store.count, seed: seed, epoch: epoch)[slot]
        var failures: [LoadedSlot.Failure] = []
        for index in Candidates(own: own, count: store.count, seed: seed, epoch: epoch, slot: slot) {
            var random = CounterRandom(seed: seed, purpose: .augmentation, epoch: epoch, index: slot)
            let outcome = store.result(at: index) { image in
                augmentation.apply(to: image, using: &random)
            } orOfFile: { (bytes, options) throws(ImageError) in
                try augmentation.apply(decoding: bytes, options: options, using: &random)
            }
            switch outcome {
            case .failure(let error): failures.append(.init(index: index, error: error))
            case .success(let augmented):
                let views = augmentation.views(of: augmented, using: &random)
                return LoadedSlot(images: views, index: index, failures: failures)
            }
        }
        return LoadedSlot(images: [], index: own, failures: failures)
    }

    /// The samples that may fill a slot: its own, then random ones, then all in order.
    private struct Candidates: Sequence, IteratorProtocol {
        private let count: Int
        private var random: CounterRandom
        private var current: Int
        private var given = 0

        init(own: Int, count: Int, seed: UInt64, epoch: Int, slot: Int) {
            self.count = count
            current = own
            random = CounterRandom(seed: seed, purpose: .replacement, epoch: epoch, index: slot)
        }

        mutating func next() -> Int? {
            defer { given += 1 }
            if given == 0 { return current }
            if given <= SlotSource.draws {
                current = random.integer(below: count)
            } else if given < SlotSource.draws + count {
                current = (current + 1) % count
            } else {
                return nil
            }
            return current
        }
    }
}
