import Imaging
import Support

/// The defaults of a class of transformers' image processors.
///
/// Source: the classes of transformers 5, `image_processing_*.py`. All of them resize, crop, rescale and normalize alike;
/// classes that do more are not known here.
struct ProcessorDefaults {
    var resize = Preprocessing.Resize.exact(width: 224, height: 224)
    /// Whether a bare number means both sides rather than the shorter one.
    var isSquare = true
    var crop: Int?
    var interpolation = Interpolation.bilinear
    var mean = FamilyPreprocessing.half
    var std = FamilyPreprocessing.half

    /// The defaults of the class that a file names, or of the family's where it names none.
    init(_ json: JSON, path: String, family: Family) throws(CheckpointError) {
        let name = json["image_processor_type"]?.string ?? json["feature_extractor_type"]?.string ?? ""
        switch (Self.stem(name), family) {
        case ("ViT", _), ("", .vit), ("", .mae): break
        case ("DeiT", _), ("", .deit):
            resize = .exact(width: 256, height: 256)
            crop = 224
            interpolation = .bicubic
        case ("Beit", _): interpolation = .bicubic
        case ("Siglip", _), ("", .siglip):
            isSquare = false
            interpolation = .bicubic
        case ("Bit", _), ("CLIP", _), ("", .dinov2), ("", .clip):
            resize = .shortestEdge(224)
            isSquare = false
            crop = 224
            interpolation = .bicubic
            (mean, std) = (FamilyPreprocessing.clipMean, FamilyPreprocessing.clipStd)
        default:
            throw .malformed(
                path, "names the image processor \(name); those of ViT, DeiT, BEiT, BiT, CLIP and SigLIP are known")
        }
        if let square = try ProcessorKeys.flag("default_to_square", json, path) { isSquare = square }
    }

    /// `ViT` of `ViTImageProcessorFast` and of `ViTFeatureExtractor`.
    private static func stem(_ name: String) -> String {
        for ending in ["ImageProcessor", "FeatureExtractor"] {
            if let range = name.firstRange(of: ending) { return String(name[..<range.lowerBound]) }
        }
        return name
    }
}

/// The settings of an image processor: each is obeyed, cannot matter, or ends in an error.
enum ProcessorKeys {
    /// What is read; and what changes no pixel that a model of this package gets: names and versions, the layout of the
    /// result, what its model's channels decide, labels of segmentation, and `max_size`, which transformers does not read
    /// from a file.
    private static let known = KnownSettings(
        obeyed: [
            "crop_size", "default_to_square", "do_center_crop", "do_normalize", "do_rescale", "do_resize", "image_mean",
            "image_std", "resample", "rescale_factor", "size",
        ],
        harmless: [
            "_commit_hash", "_processor_class", "_valid_processor_keys", "auto_map", "data_format", "device",
            "disable_grouping", "do_convert_rgb", "do_reduce_labels", "feature_extractor_type", "image_processor_type",
            "image_seq_length", "input_data_format", "is_fast", "max_size", "model_input_names", "model_type",
            "name_or_path",
            "num_channels", "processor_class", "reduce_labels", "return_tensors", "transformers_version", "use_fast",
        ])

    /// Throws for a setting that is not understood, unless it is off.
    static func check(_ json: JSON, path: String) throws(CheckpointError) {
        // Images of one size are not padded to each other.
        let isPadded = json["pad_size"] != nil
        guard let setting = known.unknown(in: json).first(where: { $0.name != "do_pad" || isPadded }) else { return }
        throw .malformed(
            path,
            "states \(setting.name) as \(setting.value.text(compact: true)), which is not understood and may change the "
                + "pixels; take it out if it does not")
    }

    /// A setting that is on or off; nil where it is not stated.
    static func flag(_ name: String, _ json: JSON, _ path: String) throws(CheckpointError) -> Bool? {
        guard let value = json[name] else { return nil }
        guard let flag = value.bool else {
            throw .malformed(path, "states \(name) as \(value.text(compact: true)); true or false were expected")
        }
        return flag
    }

    /// The factor of the samples: 1 where they are not rescaled.
    static func rescaleFactor(_ json: JSON, _ path: String) throws(CheckpointError) -> Double {
        guard try flag("do_rescale", json, path) ?? true else { return 1 }
        guard let value = json["rescale_factor"] else { return 1.0 / 255 }
        // Any factor that samples of 8 bits were meant for is far from these bounds.
        guard let factor = value.double, (1e-6...1e6).contains(factor.magnitude) else {
            throw .malformed(
                path, "states a rescale_factor of \(value.text(compact: true)); a factor such as 1/255 was expected")
        }
        return factor
    }
}
