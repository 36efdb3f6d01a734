import Compute
import Imaging
import Support
import TensorFiles

/// A Vision Transformer, or a masked autoencoder with its encoder, that is to be written.
struct ViTExport {
    /// The encoder's shape.
    var configuration: ViTConfiguration
    /// The whole, where there is a decoder.
    let mae: MAEConfiguration?
    let preprocessing: Preprocessing
    let labels: [String]?
    let activation: HeadActivation?
    let halfPrecision: Bool
    /// The share of patches that was removed while the decoder was trained, where it is known.
    let maskRatio: Double?

    init(_ configuration: ViTConfiguration, mae: MAEConfiguration? = nil, of writer: CheckpointWriter) {
        self.configuration = configuration
        self.mae = mae
        preprocessing = writer.preprocessing
        labels = writer.labels
        activation = writer.activation
        halfPrecision = writer.halfPrecision
        maskRatio = writer.unstated.contains(MAEConfiguration.maskRatioName) ? nil : mae?.maskRatio
    }

    var type: StoredType { halfPrecision ? .float16 : .float32 }

    var parameterShapes: [ParameterShape] { (mae ?? configuration as any ModelConfiguration).parameterShapes }

    /// The size of image that the position table was made for.
    var trainedSize: Size { configuration.positionImageSize ?? configuration.imageSize }

    func write(
        to directory: String, as layout: ExportLayout, tensor: TensorSource
    ) throws(CheckpointError) -> [String] {
        if layout != .huggingFace, configuration.classCount > 0, configuration.pooling == .classTokenAndMean {
            throw .malformed(
                directory,
                "the layout \(layout.rawValue) has no head on class token and mean of the patches; hf can hold it")
        }
        if configuration.finalNorm == .absent, layout == .mae {
            throw .malformed(directory, "the layout mae has no place for a model without a final norm; timm and hf do")
        }
        if configuration.projectionWidth > 0, layout == .timm {
            return try withProjectionAsHead.write(to: directory, as: layout) { (name) throws(CheckpointError) in
                switch name {
                case "head.weight": return try tensor("projection.weight")
                case "head.bias": return Tensor(shape: [configuration.projectionWidth])
                default: return try tensor(name)
                }
            }
        }
        switch layout {
        case .openCLIP: return try TowerExport(self, directory: directory).write(as: layout, tensor)
        case .huggingFace where TowerExport.holds(configuration):
            return try TowerExport(self, directory: directory).write(as: layout, tensor)
        case .huggingFace: return try HuggingFaceExport(self, directory: directory).write(tensor)
        case .timm: return try TimmExport(self, directory: directory).write(tensor)
        case .mae:
            if let part = configuration.partOfTowers {
                throw .malformed(directory, "the layout mae has no place for \(part); the layout timm can hold it")
            }
            return try TimmExport(self, directory: directory).writeMAE(tensor)
        }
    }

    /// The same model with the projection as a head, where timm keeps CLIP's.
    private var withProjectionAsHead: ViTExport {
        var export = self
        (export.configuration.classCount, export.configuration.projectionWidth) = (configuration.projectionWidth, 0)
        return export
    }
}

extension ViTConfiguration {
    /// What the model has of the vision towers of CLIP and SigLIP alone, as a noun; nil where it has nothing of them.
    var partOfTowers: String? {
        if hasPreNorm { return "a norm before the first block" }
        if !patchBias { return "patches without a bias" }
        if pooling == .attention { return "attention pooling" }
        return projectionWidth > 0 ? "a projection" : nil
    }

    /// What keeps transformers' ViT from holding a vision tower, as a noun: of one with a head, how that reads it, since
    /// transformers' classifiers on towers average the patches.
    var towerObstacle: String? {
        guard let part = partOfTowers, classCount > 0 else { return partOfTowers }
        switch pooling {
        case .classToken: return "\(part) and a head on the class token"
        case .attention: return "\(part) and a head on it"
        case .meanPatches, .classTokenAndMean: return "\(part) and such a norm before its head"
        }
    }
}
