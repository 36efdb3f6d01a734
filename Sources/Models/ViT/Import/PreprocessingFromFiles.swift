import Imaging
import Support

extension HuggingFaceConfiguration {
    /// What transformers' image processors do by the settings of a `preprocessor_config.json`.
    ///
    /// Settings that the file leaves out have the default of the class of processor that it names.
    static func preprocessing(_ json: JSON, path: String, family: Family) throws(CheckpointError) -> Preprocessing {
        try ProcessorKeys.check(json, path: path)
        let defaults = try ProcessorDefaults(json, path: path, family: family)
        var preprocessing = Preprocessing(
            resize: .none, interpolation: try interpolation(json, path) ?? defaults.interpolation)
        preprocessing.cropRounding = .down
        if try ProcessorKeys.flag("do_resize", json, path) ?? true {
            preprocessing.resize = try size(json["size"], path, isSquare: defaults.isSquare) ?? defaults.resize
        }
        if try ProcessorKeys.flag("do_center_crop", json, path) ?? (defaults.crop != nil) {
            switch try size(json["crop_size"], path, isSquare: true)
                ?? .exact(width: defaults.crop ?? 224, height: defaults.crop ?? 224)
            {
            case .exact(let width, let height): preprocessing.crop = Size(height: height, width: width)
            default: throw .malformed(path, "states a crop_size without height and width")
            }
        }
        preprocessing.rescaleFactor = try ProcessorKeys.rescaleFactor(json, path)
        let normalizes = try ProcessorKeys.flag("do_normalize", json, path) ?? true
        preprocessing.mean = normalizes ? try values(json["image_mean"], path) ?? defaults.mean : [0]
        preprocessing.std = normalizes ? try values(json["image_std"], path) ?? defaults.std : [1]
        return preprocessing
    }

    private static func interpolation(_ json: JSON, _ path: String) throws(CheckpointError) -> Interpolation? {
        guard let value = json["resample"] else { return nil }
        // Pillow's numbers.
        let order: [Interpolation] = [.nearest, .lanczos, .bilinear, .bicubic, .box, .hamming]
        guard let index = value.integer, order.indices.contains(index) else {
            throw .malformed(
                path, "states resample \(value.text(compact: true)); Pillow's filters have the numbers 0 to 5")
        }
        return order[index]
    }

    private static func size(
        _ json: JSON?, _ path: String, isSquare: Bool
    ) throws(CheckpointError) -> Preprocessing.Resize? {
        guard let json else { return nil }
        func side(_ name: String) -> Int? { json[name]?.integer.flatMap { isPlausible($0) ? $0 : nil } }
        if let height = side("height"), let width = side("width") { return .exact(width: width, height: height) }
        if let edge = side("shortest_edge"), json["longest_edge"] == nil { return .shortestEdge(edge) }
        if let edge = json.integer, isPlausible(edge) {
            return isSquare ? .exact(width: edge, height: edge) : .shortestEdge(edge)
        }
        if let sides = json.integers, sides.count == 2, sides.allSatisfy(isPlausible) {
            return .exact(width: sides[1], height: sides[0])
        }
        throw .malformed(
            path,
            "states a size of \(json.text(compact: true)); a side, height and width, or shortest_edge were expected")
    }

    private static func isPlausible(_ side: Int) -> Bool { (1...65_535).contains(side) }

    private static func values(_ json: JSON?, _ path: String) throws(CheckpointError) -> [Double]? {
        guard let json else { return nil }
        guard let values = json.doubles ?? json.double.map({ [$0] }), (1...4).contains(values.count) else {
            throw .malformed(
                path, "states \(json.text(compact: true)) for the mean or std of the channels; numbers were expected")
        }
        return values
    }
}

extension TimmConfiguration {
    /// What timm's `create_transform` does for evaluation.
    func preprocessing(imageSize: Size) throws(CheckpointError) -> Preprocessing {
        for (name, wanted) in [("interpolation", "a name"), ("crop_mode", "a name"), ("crop_pct", "a number")] {
            guard let value = pretrained[name], wanted == "a name" ? value.string == nil : value.double == nil else {
                continue
            }
            throw .malformed(path, "states \(name) as \(value.text(compact: true)); \(wanted) was expected")
        }
        let name = pretrained["interpolation"]?.string ?? "bicubic"
        guard let interpolation = Interpolation(rawValue: name) else {
            throw .malformed(path, "states the interpolation \(name), which is unknown")
        }
        let fraction = pretrained["crop_pct"]?.double ?? 0.875
        let size = try fedSize() ?? imageSize
        guard fraction > 0.01, fraction <= 100 else { throw .malformed(path, "states a crop_pct of \(fraction)") }
        let mean = try values("mean") ?? FamilyPreprocessing.imageNetMean
        let std = try values("std") ?? FamilyPreprocessing.imageNetStd
        return Preprocessing(
            resize: try resize(size, fraction: fraction), interpolation: interpolation,
            crop: size, mean: mean, std: std)
    }

    private func resize(_ size: Size, fraction: Double) throws(CheckpointError) -> Preprocessing.Resize {
        let height = Int((Double(size.height) / fraction).rounded(.down))
        let width = Int((Double(size.width) / fraction).rounded(.down))
        switch pretrained["crop_mode"]?.string ?? "center" {
        case "squash": return .exact(width: width, height: height)
        case "center": return height == width ? .shortestEdge(height) : .cover(width: width, height: height)
        case let mode: throw .malformed(path, "states the crop mode \(mode); center and squash are known")
        }
    }

    private func values(_ name: String) throws(CheckpointError) -> [Double]? {
        guard let json = pretrained[name] else { return nil }
        guard let values = json.doubles, (1...4).contains(values.count) else {
            throw .malformed(path, "states a \(name) of \(json.text(compact: true)); one number a channel was expected")
        }
        return values
    }
}

/// The preprocessing of a family where no file states it.
enum FamilyPreprocessing {
    static let half = [0.5, 0.5, 0.5]
    static let imageNetMean = [0.485, 0.456, 0.406]
    static let imageNetStd = [0.229, 0.224, 0.225]
    static let clipMean = [0.48145466, 0.4578275, 0.40821073]
    static let clipStd = [0.26862954, 0.26130258, 0.27577711]

    /// The preprocessing, and a sentence that says whose custom it is.
    ///
    /// Where nothing shows whose weights they are, timm's names mean timm's ViT: the image's shorter edge to 1 / 0.9 of the
    /// model's, bicubic, its centre, mean and deviation 0.5.
    static func preprocessing(
        _ description: ModelDescription, layout: Layout
    ) -> (Preprocessing, String) {
        let (family, configuration) = (description.family, description.configuration)
        var size = configuration.imageSize
        // Its positions are of 518 pixels; its authors use it at 224.
        if layout == .dinov2, !description.statesImageSize { size = Size(square: 224) }
        let channels = configuration.inputChannels
        func perChannel(_ values: [Double]) -> [Double] { channels == 3 ? values : [values.reduce(0, +) / 3] }
        if family == .vit, layout.isHuggingFace {
            let preprocessing = Preprocessing(
                resize: .exact(width: size.width, height: size.height), interpolation: .bilinear,
                mean: perChannel(half),
                std: perChannel(half))
            return (
                preprocessing, "Preprocessing as transformers' ViT by default: squashed, bilinear, mean and std 0.5."
            )
        }
        if family == .siglip {
            let preprocessing = Preprocessing(
                resize: .exact(width: size.width, height: size.height), mean: perChannel(half), std: perChannel(half))
            return (preprocessing, "Preprocessing as is the custom of SigLIP: squashed, bicubic, mean and std 0.5.")
        }
        // Images larger than 224 are cropped from the whole in MAE's and timm's fine-tuning at high resolution.
        let isLarge = min(size.height, size.width) > 224
        let fraction =
            switch family {
            case .vit: isLarge ? 1.0 : 0.9
            case .mae: isLarge ? 1.0 : 224.0 / 256
            case .deit, .dinov2: 224.0 / 256
            case .clip, .siglip: 1.0
            }
        func scaled(_ side: Int) -> Int { Int((Double(side) / fraction).rounded(.down)) }
        let resize: Preprocessing.Resize =
            size.height == size.width
            ? .shortestEdge(scaled(size.height)) : .cover(width: scaled(size.width), height: scaled(size.height))
        let (mean, std) =
            switch family {
            case .vit: (half, half)
            case .clip: (clipMean, clipStd)
            default: (imageNetMean, imageNetStd)
            }
        let preprocessing = Preprocessing(
            resize: resize, interpolation: .bicubic, crop: size, mean: perChannel(mean), std: perChannel(std))
        let owner =
            switch family {
            case .vit: "timm's ViT"
            case .deit: "DeiT"
            case .mae: "MAE"
            case .dinov2: "DINOv2"
            case .clip: "CLIP"
            case .siglip: "SigLIP"
            }
        func text(_ values: [Double]) -> String { values.map { "\($0)" }.joined(separator: ",") }
        return (
            preprocessing,
            "Preprocessing as is the custom of \(owner), for it is not stated: shorter edge \(scaled(min(size.height, size.width))), "
                + "crop \(size.width) × \(size.height), bicubic, mean \(text(preprocessing.mean)), std \(text(preprocessing.std)); "
                + "--resize, --crop-pct, --mean and --std set another."
        )
    }
}
