import LibC
import Randomness

/// Replaces a random rectangle of a normalised image by noise (Zhong et al. 2020), as timm's mode `pixel` does.
public struct RandomErasing: Sendable, Hashable {
    /// The probability that a rectangle is erased.
    public var probability = 0.25
    /// The rectangle's share of the area; uniform.
    public var area: ClosedRange<Double> = 0.02...1.0 / 3
    /// Height over width of the rectangle; uniform in the logarithm.
    public var aspect: ClosedRange<Double> = 0.3...1 / 0.3

    /// The defaults of MAE's fine-tuning, with another probability.
    public init(probability: Double = 0.25) { self.probability = probability }

    /// The rectangle to erase from an image of `width` × `height`; nil with probability 1 − `probability`, and if none of ten
    /// draws fits into the image.
    package func window(width: Int, height: Int, using random: inout CounterRandom) -> Window? {
        guard random.isTrue(probability: probability) else { return nil }
        for _ in 0..<10 {
            let target = random.uniform(area.lowerBound, area.upperBound) * Double(width * height)
            let ratio = exp(random.uniform(log(aspect.lowerBound), log(aspect.upperBound)))
            let h = Int((target * ratio).squareRoot().rounded(.toNearestOrEven))
            let w = Int((target / ratio).squareRoot().rounded(.toNearestOrEven))
            guard w < width, h < height else { continue }
            let y = random.integer(below: height - h + 1)
            return Window(x: random.integer(below: width - w + 1), y: y, width: w, height: h)
        }
        return nil
    }

    /// Erases a rectangle of an image: `pixels` are (channels, height, width), normalised; the noise is N(0, 1).
    package func erase(
        _ pixels: inout MutableSpan<Float>, channels: Int, width: Int, height: Int,
        using random: inout CounterRandom
    ) {
        precondition(
            pixels.count == channels * width * height,
            "RandomErasing: expected \(channels * width * height) values, got \(pixels.count)")
        guard let window = window(width: width, height: height, using: &random) else { return }
        for channel in 0..<channels {
            for row in window.rows {
                let first = (channel * height + row) * width
                let columns = first + window.columns.lowerBound..<first + window.columns.upperBound
                unsafe pixels.withUnsafeMutableBufferPointer { pixels in
                    unsafe random.fillNormal(UnsafeMutableBufferPointer(rebasing: pixels[columns]))
                }
            }
        }
    }
}
