import Compute
import Datasets
import Imaging
import Models
import Randomness

/// Images that are looked at again and again, always prepared and masked alike.
struct FixedImages {
    /// As the model takes them, in 8 bits.
    let images: [Image]
    private let normalization: Preprocessing

    /// The epoch of their masks' random numbers, which no step has.
    private static let maskEpoch = -1

    /// At most `limit` images of a part, evenly spread over it; those that cannot be read are left out.
    init(_ dataset: ImageDataset, part: ImageDataset.Part, limit: Int, settings: PretrainingSettings) {
        let samples = dataset.samples(part)
        let count = min(limit, samples.count)
        let chosen = (0..<count).map { samples[$0 * samples.count / count] }
        var decoding = DecodingOptions()
        decoding.channels = settings.channels
        let store = ImageStore(root: dataset.root, samples: chosen, decoding: decoding, memory: 0)
        let augmentation = settings.evaluationAugmentation
        images = chosen.indices.compactMap { index in
            guard case .success(let image) = store.image(at: index) else { return nil }
            var random = CounterRandom(seed: 0, purpose: .augmentation)
            return augmentation.apply(to: image, using: &random)
        }
        normalization = settings.preprocessing
    }

    /// Runs the model over all images, a slice at a time; `body` gets the numbers of the images that the slice begins
    /// with, their mask and the prediction (B, L − K, target length), before the loss takes its place.
    func forEachBatch(
        of trainer: MAETrainer, _ body: (_ images: Range<Int>, _ mask: PatchMask, _ prediction: Tensor) -> Void
    ) {
        let size = trainer.slices.size
        let slice = trainer.images.rows(0..<size)
        for first in stride(from: 0, to: images.count, by: size) {
            let last = min(first + size, images.count)
            for slot in 0..<size {
                // What is missing from the last slice is filled up with anything.
                let image = images[min(first + slot, last - 1)]
                let place = slice.rows(slot..<slot + 1)
                unsafe normalization.normalize(image, into: place.buffer)
            }
            let mask = trainer.mask(epoch: Self.maskEpoch, first: first)
            body(first..<last, mask, trainer.model.forward(slice, mask: mask))
        }
    }

    /// The mean loss; nil without images.
    func loss(_ trainer: MAETrainer) -> Double? {
        var sum = 0.0
        forEachBatch(of: trainer) { images, mask, _ in
            _ = trainer.model.loss(trainer.images.rows(0..<mask.imageCount), mask: mask)
            sum += trainer.model.imageLosses(mask: mask).prefix(images.count).reduce(0, +)
        }
        return images.isEmpty ? nil : sum / Double(images.count)
    }
}

extension PretrainingSettings {
    /// Nothing random.
    var evaluationAugmentation: Augmentation { run.wholeImage }

    /// What is done to training images.
    var trainingAugmentation: Augmentation {
        switch augment {
        case .crop: .crop(RandomResizedCrop(size: run.extent))
        case .none: evaluationAugmentation
        }
    }
}
