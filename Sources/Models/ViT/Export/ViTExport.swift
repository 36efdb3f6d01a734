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
        switch layout {
        case .huggingFace: return try HuggingFaceExport(self, directory: directory).write(tensor)
        case .timm: return try TimmExport(self, directory: directory).write(tensor)
        case .mae: return try TimmExport(self, directory: directory).writeMAE(tensor)
        }
    }
}
