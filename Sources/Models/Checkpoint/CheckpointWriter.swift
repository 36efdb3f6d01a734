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
    /// A directory that OpenCLIP loads (`local-dir:`): open_clip_config.json, open_clip_model.safetensors.
    case openCLIP = "open_clip"
    /// A `.pth` that the scripts of MAE's authors load, and a config.json for everybody else.
    case mae
}

/// Writes a model as a checkpoint of one of the layouts that others read.
public struct CheckpointWriter: Sendable {
    /// The shape of the model.
    public var configuration: any ModelConfiguration
    /// What the model wants done to an image.
    public var preprocessing: Preprocessing
    /// The names of the classes.
    public var labels: [String]?
    /// What makes scores of the head's logits; nil: not known.
    public var activation: HeadActivation?
    /// The settings of `configuration` that are not known, as `vit inspect` calls them; they are not written.
    public var unstated: Set<String> = []
    /// Whether weights are rounded to 16 bits.
    public var halfPrecision = false

    /// A writer for a model of this shape.
    public init(
        configuration: any ModelConfiguration, preprocessing: Preprocessing, labels: [String]? = nil
    ) {
        self.configuration = configuration
        self.preprocessing = preprocessing
        self.labels = labels
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
        try ModelFamilies.family(of: configuration).write(self, to: directory, as: layout, tensor: tensor)
    }

    /// Writes the configuration files that belong beside a `model.safetensors` with the tensors under canonical names, as
    /// a run saves them.
    package func writeConfiguration(to directory: String) throws(CheckpointError) {
        try ModelFamilies.family(of: configuration).writeConfiguration(self, to: directory)
    }

    /// What the model has that no class of transformers has, as a noun; nil where the layout can hold it.
    package var huggingFaceObstacle: String? { ModelFamilies.family(of: configuration).huggingFaceObstacle(self) }

    /// The layout of transformers where it has such a model, else timm's.
    package var preferredLayout: ExportLayout { huggingFaceObstacle == nil ? .huggingFace : .timm }

    /// The type that weights are stored in.
    var type: StoredType { halfPrecision ? .float16 : .float32 }
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
            configuration: includingDecoder ? configuration : configuration.backbone, preprocessing: preprocessing,
            labels: labels)
        writer.halfPrecision = halfPrecision
        writer.unstated = unstated
        writer.activation = activation
        return try writer.write(to: directory, as: layout) { (name) throws(CheckpointError) in
            let tensor = try self.tensor(name)
            return tensor
        }
    }
}
