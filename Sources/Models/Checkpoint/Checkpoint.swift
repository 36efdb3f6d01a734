import Compute
import Imaging
import TensorFiles

/// An opened checkpoint: described and checked, its tensors mapped, nothing copied yet.
public struct Checkpoint: Sendable {
    /// The weights file, or the index of several.
    public let path: String
    /// Who named and arranged the tensors.
    public let layout: Layout
    /// What the files are: the layout and how the tensors are packed, in words.
    public let summary: String
    /// Where in the file the model is: the keys of dictionaries and the beginning of names that all its tensors share;
    /// nil where they begin with nothing else.
    public let location: String?
    /// The shape of the model.
    public let configuration: any ModelConfiguration
    /// What the model wants done to an image.
    public let preprocessing: Preprocessing
    /// The names of the classes, where the checkpoint has them.
    public let labels: [String]?
    /// What makes scores of the head's logits; nil where no file states it: see `headActivation`.
    public let activation: HeadActivation?
    /// What the checkpoint did not state and was assumed, a sentence each.
    public let assumptions: [String]
    /// The settings of `configuration` that no file states, as `vit inspect` calls them; they have their defaults.
    public let unstated: Set<String>
    /// Every tensor of the model in the files, in their order.
    public let tensors: [TensorDescription]
    /// The tensors that the model does not use, and why; those beside it are summed up.
    public let ignored: [(name: String, reason: String)]

    /// How each canonical tensor is made.
    let recipes: [String: TensorRecipe]

    /// Opens a directory (Hugging Face's or timm's) or a weights file (safetensors, PyTorch's zip, NumPy's npz, told by
    /// content); a `config.json` and a `preprocessor_config.json` beside a file are used too.
    ///
    /// Every tensor is accounted for here: what is missing, surplus or misshapen ends in an error that names it.
    ///
    /// - Parameter weights: where in the file the model is, as `location` says it, or a part of that (`teacher`). Where it
    ///   is left out and there are several models, the teacher or the average is taken, and `assumptions` say so.
    public static func open(_ path: String, weights: String? = nil) throws(CheckpointError) -> Checkpoint {
        try Checkpoint(CheckpointFiles(path, key: weights))
    }

    /// The names and shapes of all tensors, in forward order: the encoder's, then the decoder's where there is one.
    public var parameterShapes: [ParameterShape] { configuration.parameterShapes }

    /// The family of the model.
    package var family: any ModelFamily { ModelFamilies.family(of: configuration) }

    /// What no file states and a command assumes, in one line; nil where everything is stated.
    ///
    /// - Parameter usesHead: whether scores of classes depend on it.
    package func assumptionsNote(usesHead: Bool = false) -> String? {
        let all = assumptions + (usesHead ? activationAssumption.map { [$0] } ?? [] : [])
        return all.isEmpty ? nil : "\(path): not stated, so assumed: \(all.joined(separator: " "))"
    }

    /// One tensor under its canonical name: mapped in place where the file holds it as 32-bit floats in the right
    /// order, else converted into memory of its own.
    public func tensor(_ name: String) throws(CheckpointError) -> Tensor {
        guard let recipe = recipes[name] else {
            throw .malformed(path, "has no tensor \(name)")
        }
        return try recipe.make()
    }

    /// All tensors of the encoder and its heads, and the decoder's too where asked for, under canonical names.
    public func parameters(includingDecoder: Bool = false) throws(CheckpointError) -> [String: Tensor] {
        var parameters: [String: Tensor] = [:]
        for shape in includingDecoder ? parameterShapes : configuration.backbone.parameterShapes {
            parameters[shape.name] = try tensor(shape.name)
        }
        return parameters
    }

    /// Gives back the memory of a tensor that was mapped in place, once its numbers were taken over elsewhere; a later
    /// access reads the file again. Does nothing to a converted one.
    package func releasePages(of name: String) {
        recipes[name]?.releasePages()
    }
}
