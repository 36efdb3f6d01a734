import LibC
import Randomness
import Support

/// A random crop resized to a fixed size, as by torchvision's `RandomResizedCrop`.
public struct RandomResizedCrop: Sendable, Hashable {
    /// The size of the result.
    public var size: Size
    /// The crop's share of the image's area; uniform.
    public var scale: ClosedRange<Double> = 0.2...1
    /// Width over height of the crop; uniform in the logarithm.
    public var ratio: ClosedRange<Double> = 3.0 / 4...4.0 / 3
    /// The resize filter.
    public var interpolation: Interpolation = .bicubic

    /// The crop of MAE's pre-training: area 0.2 to 1, ratio 3/4 to 4/3, bicubic.
    public init(size: Size) { self.size = size }

    /// The crop of an image of `width` × `height`.
    ///
    /// Ten draws as in torchvision; if none fits into the image, the largest centre crop of allowed proportions.
    public func window(
        width: Int, height: Int, using random: inout CounterRandom
    ) -> (x: Int, y: Int, width: Int, height: Int) {
        let area = Double(width * height)
        for _ in 0..<10 {
            let target = area * random.uniform(scale.lowerBound, scale.upperBound)
            let aspect = exp(random.uniform(log(ratio.lowerBound), log(ratio.upperBound)))
            let w = Int((target * aspect).squareRoot().rounded(.toNearestOrEven))
            let h = Int((target / aspect).squareRoot().rounded(.toNearestOrEven))
            if w > 0 && w <= width && h > 0 && h <= height {
                let y = random.integer(below: height - h + 1)
                let x = random.integer(below: width - w + 1)
                return (x, y, w, h)
            }
        }
        let aspect = Double(width) / Double(height)
        var (w, h) = (width, height)
        if aspect < ratio.lowerBound {
            h = Int((Double(width) / ratio.lowerBound).rounded(.toNearestOrEven))
        } else if aspect > ratio.upperBound {
            w = Int((Double(height) * ratio.upperBound).rounded(.toNearestOrEven))
        }
        // An image one pixel thin would round to nothing.
        (w, h) = (min(width, max(1, w)), min(height, max(1, h)))
        return ((width - w) / 2, (height - h) / 2, w, h)
    }

    /// A random crop of `image`, resized.
    public func apply(to image: Image, using random: inout CounterRandom) -> Image {
        resized(image, window(width: image.width, height: image.height, using: &random))
    }

    func resized(_ image: Image, _ part: (x: Int, y: Int, width: Int, height: Int)) -> Image {
        image.cropped(x: part.x, y: part.y, width: part.width, height: part.height)
            .resized(width: size.width, height: size.height, interpolation: interpolation)
    }
}
