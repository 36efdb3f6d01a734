import Imaging
import Randomness
import Support

/// The augmentation of a training image before normalisation: 8-bit image in, 8-bit image of a fixed size out.
public struct Augmentation: Sendable {
    /// One step: a function of the image and of random numbers only.
    public typealias Step = @Sendable (Image, inout CounterRandom) -> Image

    /// The crop before the steps.
    private let crop: RandomResizedCrop?
    private let steps: [Step]
    /// What makes the views of a sample; empty: there is one view, the image itself.
    private var views: [Step] = []

    /// An optional crop, followed by the steps in order.
    public init(crop: RandomResizedCrop? = nil, _ steps: [Step] = []) {
        self.crop = crop
        self.steps = steps
    }

    /// MAE's: a random resized crop and a horizontal flip with probability 0.5.
    public static func crop(_ crop: RandomResizedCrop) -> Augmentation {
        Augmentation(crop: crop).flipping()
    }

    /// Nothing random: the largest centre crop of the target's proportions, resized to the target.
    public static func none(
        size: Size, interpolation: Interpolation = .bicubic
    ) -> Augmentation {
        Augmentation([{ image, _ in centered(image, size: size, interpolation: interpolation) }])
    }

    /// Nothing random: the whole image resized to the target, ignoring its proportions.
    public static func squashed(
        size: Size, interpolation: Interpolation = .bicubic
    ) -> Augmentation {
        Augmentation([
            { image, _ in
                image.resized(width: size.width, height: size.height, interpolation: interpolation)
            }
        ])
    }

    /// These steps, followed by a horizontal flip with some probability.
    public func flipping(probability: Double = 0.5) -> Augmentation {
        followed { image, random in
            random.isTrue(probability: probability) ? image.flippedHorizontally() : image
        }
    }

    /// These steps, and then none, one, two or three quarter turns, each as likely: images from above have no upright side.
    public func rotatingByQuarters() -> Augmentation {
        // What EXIF calls upright and the three turns of it.
        let orientations = [1, 6, 3, 8]
        return followed { image, random in image.oriented(orientations[random.integer(below: 4)]) }
    }

    /// These steps, followed by RandAugment.
    public func augmenting(_ operations: RandAugment) -> Augmentation {
        followed { operations.apply(to: $0, using: &$1) }
    }

    /// These steps and then another.
    public func followed(by step: @escaping Step) -> Augmentation {
        Augmentation(crop: crop, steps + [step]).split(into: views)
    }

    /// These steps and then several views of the result, one by each of `views`, which draw random numbers in order.
    public func split(into views: [Step]) -> Augmentation {
        var augmentation = self
        augmentation.views = views
        return augmentation
    }

    /// The views of an image after all steps.
    func views(of image: Image, using random: inout CounterRandom) -> [Image] {
        views.isEmpty ? [image] : views.map { $0(image, &random) }
    }

    /// The image after all steps.
    public func apply(to image: Image, using random: inout CounterRandom) -> Image {
        steps.reduce(crop?.apply(to: image, using: &random) ?? image) { $1($0, &random) }
    }

    /// The same for a PNG or JPEG, which is decoded only as far as the crop needs.
    package func apply(
        decoding bytes: [UInt8], options: DecodingOptions, using random: inout CounterRandom
    ) throws(ImageError) -> Image {
        let first =
            if let crop {
                try crop.apply(decoding: bytes, options: options, using: &random)
            } else {
                try Image(decoding: bytes, options: options)
            }
        return steps.reduce(first) { $1($0, &random) }
    }

    /// Resizes to cover `size`, keeping proportions, then crops the centre: for a square, torchvision's `Resize` and
    /// `CenterCrop`.
    private static func centered(
        _ image: Image, size: Size, interpolation: Interpolation
    ) -> Image {
        let (width, height): (Int, Int)
        if size.width * image.height >= size.height * image.width {
            (width, height) = (size.width, max(size.height, image.height * size.width / image.width))
        } else {
            (width, height) = (max(size.width, image.width * size.height / image.height), size.height)
        }
        return image.resized(width: width, height: height, interpolation: interpolation)
            .centerCropped(width: size.width, height: size.height)
    }
}
