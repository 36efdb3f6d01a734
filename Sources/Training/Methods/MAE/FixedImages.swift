import Communication
import Compute
import Datasets
import Imaging
import Models
import Randomness

/// Images that are measured again and again, always prepared and masked alike.
struct FixedImages {
    /// As the model takes them, in 8 bits.
    private(set) var images: [Image] = []
    /// What could not be read.
    private(set) var unreadable: [BatchLoader.Unreadable] = []
    /// What was read in spite of damage.
    let damaged: [BatchLoader.Unreadable]
    private let normalization: Preprocessing

    /// The epoch of their masks' random numbers, which no step has.
    private static let maskEpoch = -1

    /// At most `limit` images of a part, evenly spread over it; those that cannot be read are left out.
    init(_ dataset: ImageDataset, part: ImageDataset.Part, limit: Int, settings: TrainingSettings<MAESettings>) {
        let samples = dataset.samples(part)
        let count = min(limit, samples.count)
        let chosen = (0..<count).map { samples[$0 * samples.count / count] }
        let store = ImageStore(dataset, samples: chosen, decoding: settings.decoding, memory: 0)
        let augmentation = settings.wholeImage
        for (index, sample) in chosen.enumerated() {
            switch store.image(at: index) {
            case .success(let image):
                var random = CounterRandom(seed: 0, purpose: .augmentation)
                images.append(augmentation.apply(to: image, using: &random))
            case .failure(let error):
                unreadable.append(.init(path: sample.path, reason: error.reason(isLenient: store.isLenient)))
            }
        }
        damaged = store.takeDamaged()
        normalization = settings.preprocessing
    }

    /// Runs the model over all images, a slice at a time; `body` gets the numbers of the images that the slice begins
    /// with, their mask and the prediction (B, L − K, target length), before the loss takes its place.
    ///
    /// - Parameter share: which slices to take, counted from 0: every `count`th from `index` on.
    func forEachBatch(
        of mae: MAE, share: (index: Int, count: Int) = (0, 1),
        _ body: (_ images: Range<Int>, _ mask: PatchMask, _ prediction: Tensor) -> Void
    ) {
        let size = mae.slices.size
        let slice = mae.images.rows(0..<size)
        for first in stride(from: share.index * size, to: images.count, by: share.count * size) {
            let last = min(first + size, images.count)
            mae.parameters.engine.fillRows(of: slice) { slot, values in
                // The last slice is filled up with copies.
                normalization.normalize(images[min(first + slot, last - 1)], into: &values)
            }
            let mask = mae.mask(epoch: Self.maskEpoch, first: first)
            body(first..<last, mask, mae.model.forward(slice, mask: mask))
        }
    }

    /// The mean loss, of slices that all processes share; nil without images. Process 0 alone learns it.
    func loss(_ mae: MAE, among communicator: any Communicator) -> Double? {
        var sums = PackedMessage()
        forEachBatch(of: mae, share: (communicator.rank, communicator.count)) { images, mask, _ in
            _ = mae.model.loss(mae.images.rows(0..<mask.imageCount), mask: mask)
            sums.append(mae.model.imageLosses(mask: mask).prefix(images.count).reduce(0, +))
        }
        var shares = communicator.gather(sums.bytes).map { PackedMessage($0) }
        if images.isEmpty || shares.isEmpty { return nil }
        var (sum, slice) = (0.0, 0)
        while !shares[slice % shares.count].isAtEnd {
            sum += shares[slice % shares.count].double()
            slice += 1
        }
        return sum / Double(images.count)
    }
}
