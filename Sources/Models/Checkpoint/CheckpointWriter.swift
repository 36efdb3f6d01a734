import Compute
import Imaging
import Support
import TensorFiles

/// The layouts that a checkpoint can be written in.
public enum ExportLayout: String, Sendable, Hashable, CaseIterable {
    /// A directory that every transformers loads: config.json, model.safetensors, preprocessor_config.json.
    case huggingFace = "hf"
    /// A directory that timm loads (`local-dir:`): config.json, model.safetensors.
    case timm
    /// A `.pth` that the scripts of MAE's authors load, and a config.json for everybody else.
    case mae
}

/// Writes a model as a checkpoint of one of the layouts that others read.
public struct CheckpointWriter: Sendable {
    /// The shape of the model.
    public var configuration: ViTConfiguration
    /// What the model wants done to an image.
    public var preprocessing: Preprocessing
    /// The names of the classes.
    public var labels: [String]?
    /// The decoder of a whole masked autoencoder.
    public var maeDecoder: MAEDecoderConfiguration?
    /// What that decoder produces.
    public var maeTarget = MAEConfiguration.Target.normalized
    /// The share of patches that was removed while it was trained, where it is known.
    public var maeMaskRatio: Double?
    /// Whether weights are rounded to 16 bits.
    public var halfPrecision = false

    /// A writer for a model of this shape.
    public init(
        configuration: ViTConfiguration, preprocessing: Preprocessing, labels: [String]? = nil,
        maeDecoder: MAEDecoderConfiguration? = nil
    ) {
        self.configuration = configuration
        self.preprocessing = preprocessing
        self.labels = labels
        self.maeDecoder = maeDecoder
    }

    /// Writes all files into `directory`, which is made where necessary, each beside its place and then renamed.
    ///
    /// - Parameter tensor: gives each tensor under its canonical name; it is asked for one after the other.
    /// - Returns: what the layout cannot say and is lost, a sentence each.
    /// - Throws: an error that says what the layout has no place for.
    @discardableResult
    public func write(
        to directory: String, as layout: ExportLayout, tensor: TensorSource
    ) throws(CheckpointError) -> [String] {
        switch layout {
        case .huggingFace: return try HuggingFaceExport(self, directory: directory).write(tensor)
        case .timm: return try TimmExport(self, directory: directory).write(tensor)
        case .mae: return try TimmExport(self, directory: directory).writeMAE(tensor)
        }
    }

    /// What the model has that no class of transformers has, as a noun; nil where the layout can hold it.
    package var huggingFaceObstacle: String? { HuggingFaceExport.obstacle(self) }

    var type: StoredType { halfPrecision ? .float16 : .float32 }

    var parameterShapes: [ParameterShape] {
        configuration.parameterShapes + (maeDecoder?.parameterShapes(encoder: configuration) ?? [])
    }

    /// The size of picture that the position table was made for.
    var trainedSize: Size { configuration.positionImageSize ?? configuration.imageSize }
}

extension Checkpoint {
    /// Writes this checkpoint in another layout; the directory must not be the one it lies in.
    ///
    /// - Parameter includingDecoder: whether a masked autoencoder keeps its decoder.
    /// - Returns: what the layout cannot say and is lost, a sentence each.
    @discardableResult
    public func convert(
        to layout: ExportLayout, directory: String, halfPrecision: Bool = false, includingDecoder: Bool = true
    ) throws(CheckpointError) -> [String] {
        var writer = CheckpointWriter(
            configuration: configuration, preprocessing: preprocessing, labels: labels,
            maeDecoder: includingDecoder ? maeDecoder : nil)
        writer.halfPrecision = halfPrecision
        writer.maeTarget = maeTarget ?? .normalized
        writer.maeMaskRatio = maeMaskRatio
        return try writer.write(to: directory, as: layout) { (name) throws(CheckpointError) in
            let tensor = try self.tensor(name)
            return tensor
        }
    }
}
