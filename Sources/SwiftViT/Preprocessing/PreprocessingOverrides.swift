import Compute
import Imaging
import Models
import Support

/// Options of everything that runs a model over images.
public protocol ModelRunOptions {
    /// The number of threads; nil: as many as the process may use. Results do not depend on it.
    var threads: Int? { get set }
    /// How the model's products of matrices are computed.
    var precision: Precision { get set }
    /// Preprocessing that overrides the checkpoint's.
    var overrides: PreprocessingOverrides { get set }
    /// Limits and options of decoding.
    var decoding: DecodingOptions { get set }
}

/// Settings that override a checkpoint's input size and preprocessing.
public struct PreprocessingOverrides: Sendable, Hashable {
    /// The input size of the model; position embeddings are interpolated to it.
    public var imageSize: Size?
    /// How an image is resized before the centre crop.
    public var resize: Preprocessing.Resize?
    /// The fraction of the resized edge that the crop keeps, as timm's `crop_pct`: above 0, up to 1.
    public var cropFraction: Double?
    /// The resize filter.
    public var interpolation: Interpolation?
    /// The mean to subtract from each channel, for samples from 0 to 1: one value per channel, or one for all.
    public var mean: [Double]?
    /// The standard deviation to divide each channel by: one value per channel, or one for all.
    public var std: [Double]?

    /// No overrides.
    public init() {}

    /// The model's shape and preprocessing with these overrides.
    ///
    /// Errors: `ModelUseError.unfitting`, in one sentence.
    package func apply(
        to configuration: any ModelConfiguration, _ preprocessing: Preprocessing
    ) throws(ModelUseError) -> (any ModelConfiguration, Preprocessing) {
        var (configuration, preprocessing) = (configuration, preprocessing)
        try update(&configuration, &preprocessing)
        return (configuration, preprocessing)
    }

    /// The same for a Vision Transformer.
    package func apply(
        to configuration: ViTConfiguration, _ preprocessing: Preprocessing
    ) throws(ModelUseError) -> (ViTConfiguration, Preprocessing) {
        var (configuration, preprocessing) = (configuration, preprocessing)
        try update(&configuration, &preprocessing)
        return (configuration, preprocessing)
    }

    private func update(
        _ configuration: inout some ModelConfiguration, _ preprocessing: inout Preprocessing
    ) throws(ModelUseError) {
        if let imageSize {
            let fraction = preprocessing.cropFraction
            try Self.setImageSize(imageSize, of: &configuration)
            preprocessing.crop = imageSize.pixels
            if preprocessing.resize != .none {
                preprocessing.resize = preprocessing.resize.scaled(to: imageSize, keeping: fraction)
            }
        }
        if let cropFraction {
            guard resize == nil else { throw .unfitting("a resize and a crop fraction exclude each other; give one") }
            guard cropFraction > 0.01, cropFraction <= 1 else {
                throw .unfitting("a crop fraction of \(cropFraction) is out of range; it is above 0.01 and at most 1")
            }
            preprocessing.crop = configuration.imageSize.pixels
            preprocessing.resize = preprocessing.resize.scaled(to: configuration.imageSize, keeping: cropFraction)
        }
        if let resize {
            preprocessing.resize = resize
            preprocessing.crop = configuration.imageSize.pixels
        }
        if let interpolation { preprocessing.interpolation = interpolation }
        if let mean {
            if let value = mean.first(where: { !Preprocessing.allows(mean: $0) }) {
                throw .unfitting("a mean of \(value) is out of range; it is from -1000000 to 1000000")
            }
            preprocessing.mean = try Self.perChannel(mean, "mean", configuration)
        }
        if let std {
            if let value = std.first(where: { !Preprocessing.allows(deviation: $0) }) {
                throw .unfitting(
                    "a std of \(value) is impossible: pixels are divided by it; it is from 0.000001 to 1000000")
            }
            preprocessing.std = try Self.perChannel(std, "std", configuration)
        }
    }

    private static func setImageSize(_ size: Size, of configuration: inout some ModelConfiguration)
        throws(ModelUseError)
    {
        let patch = configuration.patchSize
        guard size.height > 0, size.width > 0, size.height % patch.height == 0, size.width % patch.width == 0 else {
            throw .unfitting(
                "the model takes patches of \(patch.height) × \(patch.width) pixels, which do not divide "
                    + "\(size.height) × \(size.width)")
        }
        guard size.height / patch.height * (size.width / patch.width) <= ModelLimits.patchCount else {
            throw .unfitting(
                "images of \(size.height) × \(size.width) pixels have more than \(ModelLimits.patchCount) patches")
        }
        configuration.takeImages(of: size)
    }

    private static func perChannel(
        _ values: [Double], _ name: String, _ configuration: some ModelConfiguration
    ) throws(ModelUseError) -> [Double] {
        guard values.count == 1 || values.count == configuration.inputChannels, values.allSatisfy(\.isFinite) else {
            throw .unfitting(
                "\(name) has \(values.count) values; the model has \(configuration.inputChannels) channels, so one "
                    + "value for each, or one for all, is right")
        }
        return values
    }
}

extension Size {
    fileprivate var pixels: Size { Size(height: height, width: width) }
}

extension Preprocessing {
    /// The fraction of the resized edge that the crop keeps: the shortest decimal that gives these sizes, since 224 of 248
    /// pixels come from a stated 0.9.
    fileprivate var cropFraction: Double {
        guard let crop else { return 1 }
        let (cropped, resized) =
            switch resize {
            case .none: (crop.width, crop.width)
            case .shortestEdge(let edge): (min(crop.width, crop.height), edge)
            case .cover(let width, _), .exact(let width, _): (crop.width, width)
            }
        for scale in [1.0, 10, 100, 1000] {
            let fraction = (Double(cropped) / Double(resized) * scale).rounded() / scale
            if fraction > 0, Int((Double(cropped) / fraction).rounded(.down)) == resized { return fraction }
        }
        return Double(cropped) / Double(resized)
    }
}

extension Preprocessing.Resize {
    /// The same kind of resize for a crop of `size` that keeps `fraction` of it, rounded as timm does.
    fileprivate func scaled(to size: Size, keeping fraction: Double) -> Preprocessing.Resize {
        func enlarged(_ side: Int) -> Int { max(1, Int((Double(side) / fraction).rounded(.down))) }
        let (width, height) = (enlarged(size.width), enlarged(size.height))
        switch self {
        case .exact: return .exact(width: width, height: height)
        case .none, .shortestEdge, .cover:
            return width == height ? .shortestEdge(width) : .cover(width: width, height: height)
        }
    }
}
