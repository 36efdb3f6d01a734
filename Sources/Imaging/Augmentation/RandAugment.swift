import Randomness

/// RandAugment (Cubuk et al. 2020): a few operations drawn from a list, all of similar magnitude.
///
/// As timm's `rand-m9-mstd0.5-inc1`: operations whose strength increases with the magnitude, drawn with replacement, each
/// applied with a probability and with a normally distributed magnitude of its own.
public struct RandAugment: Sendable, Hashable {
    /// The number of operations.
    public var count = 2
    /// The probability that a drawn operation is applied.
    public var probability = 0.5
    /// The mean of the magnitude, which is clamped to 0…10.
    public var magnitude = 9.0
    /// Its standard deviation.
    public var deviation = 0.5
    /// Bilinear or bicubic, for geometric operations; nil: drawn each time.
    public var interpolation: Interpolation?
    /// The fill outside the image, one value per channel or one for all.
    public var fill: [UInt8]

    /// The defaults, with the mean colour of `preprocessing` as the fill.
    public init(_ preprocessing: Preprocessing, interpolation: Interpolation? = .bicubic) {
        precondition(
            [nil, .bilinear, .bicubic].contains(interpolation),
            "RandAugment: expected bilinear or bicubic, got \(interpolation.map(\.rawValue) ?? "nil")")
        self.interpolation = interpolation
        fill = preprocessing.mean.map { UInt8(max(0, min(255, ($0 * 255).rounded(.toNearestOrEven)))) }
    }

    /// The image after the operations.
    public func apply(to image: Image, using random: inout CounterRandom) -> Image {
        var result = image
        for _ in 0..<count {
            let operation = Operation.allCases[random.integer(below: Operation.allCases.count)]
            guard random.isTrue(probability: probability) else { continue }
            let level = max(0, min(10, magnitude + deviation * random.normal()))
            let isNegated = random.isTrue(probability: 0.5)
            let isCubic = interpolation.map { $0 == .bicubic } ?? random.isTrue(probability: 0.5)
            result = operation.apply(
                to: result, level: level, isNegated: isNegated, Image.Sampling(isCubic: isCubic, fill: fill))
        }
        return result
    }
}

extension RandAugment {
    /// The operations, by timm's names.
    package enum Operation: String, Sendable, CaseIterable {
        case autoContrast = "AutoContrast"
        case equalize = "Equalize"
        case invert = "Invert"
        case rotate = "Rotate"
        case posterize = "PosterizeIncreasing"
        case solarize = "SolarizeIncreasing"
        case solarizeAdd = "SolarizeAdd"
        case color = "ColorIncreasing"
        case contrast = "ContrastIncreasing"
        case brightness = "BrightnessIncreasing"
        case sharpness = "SharpnessIncreasing"
        case shearX = "ShearX"
        case shearY = "ShearY"
        case translateX = "TranslateXRel"
        case translateY = "TranslateYRel"

        /// The image after the operation at a level from 0 to 10; `isNegated` reverses operations that have a direction.
        package func apply(
            to image: Image, level: Double, isNegated: Bool, _ sampling: Image.Sampling
        ) -> Image {
            let strength = level / 10
            func signed(_ value: Double) -> Double { isNegated ? -value : value }
            let factor = max(0.1, 1 + signed(strength * 0.9))
            switch self {
            case .autoContrast: return image.autoContrasted()
            case .equalize: return image.equalized()
            case .invert: return image.inverted()
            case .rotate: return image.rotated(degrees: signed(strength * 30), sampling)
            case .posterize: return image.posterized(bits: 4 - Int(strength * 4))
            case .solarize: return image.solarized(threshold: 256 - min(256, Int(strength * 256)))
            case .solarizeAdd: return image.solarized(adding: min(128, Int(strength * 110)))
            case .color: return image.withColor(factor)
            case .contrast: return image.withContrast(factor)
            case .brightness: return image.withBrightness(factor)
            case .sharpness: return image.withSharpness(factor)
            case .shearX: return image.shearedHorizontally(signed(strength * 0.3), sampling)
            case .shearY: return image.shearedVertically(signed(strength * 0.3), sampling)
            case .translateX: return image.shifted(x: signed(strength * 0.45) * Double(image.width), y: 0, sampling)
            case .translateY: return image.shifted(x: 0, y: signed(strength * 0.45) * Double(image.height), sampling)
            }
        }
    }
}
