import Compute
import Randomness

/// Mixup (Zhang et al. 2018) and cutmix (Yun et al. 2019) of a batch with itself in reverse, as timm mixes whole batches.
///
/// Images and targets are mixed alike: λ of an image and 1 − λ of its partner. In a batch of odd size the image in the
/// middle is its own partner, and stays.
package struct Mixing: Sendable, Hashable {
    /// λ of mixup is drawn from Beta(alpha, alpha); 0: no mixup.
    package var mixupAlpha = 0.8
    /// The same for cutmix; 0: no cutmix.
    package var cutmixAlpha = 1.0
    /// The probability that a batch is mixed.
    package var probability = 1.0
    /// The probability that it is cutmix, where both are on.
    package var switchProbability = 0.5
    /// The fraction of each target that is spread over all classes (label smoothing).
    package var smoothing = 0.1

    /// MAE's fine-tuning: 0.8, 1.0, always, half and half, 0.1.
    package init() {}

    /// How one batch is mixed.
    package enum Draw: Sendable, Hashable {
        case nothing
        /// λ of each image is kept.
        case mixup(Double)
        /// Rows and columns that come from the partner.
        case cutmix(rows: Range<Int>, columns: Range<Int>)

        /// Cutmix with a rectangle of a fraction 1 − λ of the area around a pixel, cut off at the border.
        package init(cutting lambda: Double, row: Int, column: Int, height: Int, width: Int) {
            let ratio = (1 - lambda).squareRoot()
            func range(_ middle: Int, _ size: Int) -> Range<Int> {
                let length = Int(Double(size) * ratio)
                return max(0, middle - length / 2)..<min(size, middle + (length + 1) / 2)
            }
            self = .cutmix(rows: range(row, height), columns: range(column, width))
        }

        /// λ: the fraction of each image's own pixels, after the border has cut the rectangle.
        package func lambda(height: Int, width: Int) -> Double {
            switch self {
            case .nothing: 1
            case .mixup(let lambda): lambda
            case .cutmix(let rows, let columns): 1 - Double(rows.count * columns.count) / Double(height * width)
            }
        }
    }

    /// Draws how a batch of images of `height` × `width` is mixed.
    package func draw(height: Int, width: Int, using random: inout CounterRandom) -> Draw {
        guard mixupAlpha > 0 || cutmixAlpha > 0, random.isTrue(probability: probability) else { return .nothing }
        let cuts =
            mixupAlpha > 0 && cutmixAlpha > 0
            ? random.isTrue(probability: switchProbability) : cutmixAlpha > 0
        let alpha = cuts ? cutmixAlpha : mixupAlpha
        let lambda = random.beta(alpha, alpha)
        guard cuts else { return .mixup(lambda) }
        let row = random.integer(below: height)
        return Draw(
            cutting: lambda, row: row, column: random.integer(below: width), height: height, width: width)
    }

    /// Mixes images (B, C, height, width) in place and writes their targets (B, classes).
    package func apply(
        to images: Tensor, labels: [Int], targets: Tensor, engine: any Engine,
        using random: inout CounterRandom
    ) {
        let draw = draw(height: images.shape[2], width: images.shape[3], using: &random)
        mix(images, draw, engine: engine)
        write(labels, lambda: draw.lambda(height: images.shape[2], width: images.shape[3]), to: targets)
    }

    /// Mixes images (B, C, height, width) in place.
    package func mix(_ images: Tensor, _ draw: Draw, engine: any Engine) {
        switch draw {
        case .nothing: break
        case .mixup(let lambda): engine.mixReversed(images, weight: Float(lambda), rest: Float(1 - lambda))
        case .cutmix(let rows, let columns): engine.swapReversed(images, rows: rows, columns: columns)
        }
    }

    /// Smoothed targets (B, classes), each mixed with its partner's.
    package func write(_ labels: [Int], lambda: Double, to targets: Tensor) {
        let classCount = targets.shape[1]
        precondition(
            targets.shape[0] == labels.count && labels.allSatisfy((0..<classCount).contains),
            "Mixing.write: got \(labels.count) labels for targets \(targets.shape)")
        let off = smoothing / Double(classCount)
        let (low, high) = (Float(off), Float(1 - smoothing + off))
        let (weight, rest) = (Float(lambda), Float(1 - lambda))
        targets.assign(
            zip(labels, labels.reversed()).flatMap { label, partner in
                (0..<classCount).map { index in
                    (index == label ? high : low) * weight + (index == partner ? high : low) * rest
                }
            })
    }
}
