import Imaging
import Support

/// What the files of a checkpoint say, as the family of the model reads them.
package struct CheckpointContents {
    /// The shape of the model.
    var configuration: any ModelConfiguration
    /// Who named and arranged the tensors, and the same in words.
    var layout: Layout
    var summary: String
    /// What the model wants done to an image.
    var preprocessing: Preprocessing
    /// The names of the classes.
    var labels: [String]?
    /// What makes scores of the head's logits, where a file states it.
    var activation: HeadActivation?
    /// What was not stated and was assumed, a sentence each.
    var assumptions: [String]
    /// The settings of `configuration` among that, as `vit inspect` calls them.
    var unstated: Set<String> = []
    /// How each canonical tensor is made.
    var recipes: [String: TensorRecipe]
    /// The tensors that the model does not use, and why.
    var ignored: [String: String]
}

extension Checkpoint {
    /// Lets the family that recognises the files read them.
    init(_ files: CheckpointFiles) throws(CheckpointError) {
        var contents = try ModelFamilies.family(of: files).read(files)
        contents.fitToPreprocessing()
        let weights = files.weights
        let (size, patch) = (contents.configuration.imageSize, contents.configuration.patchSize)
        guard size.height % patch.height == 0, size.width % patch.width == 0 else {
            throw .malformed(
                weights.path,
                "is used with images of \(size.width) × \(size.height) pixels, which patches of "
                    + "\(patch.width) × \(patch.height) do not divide")
        }
        guard contents.configuration.patchCount <= ModelLimits.patchCount else {
            throw .malformed(
                weights.path,
                "is used with images of \(size.width) × \(size.height) pixels, which have more than "
                    + "\(ModelLimits.patchCount) patches of \(patch.width) × \(patch.height)")
        }
        if let choice = files.found.choice { contents.assumptions.insert(choice, at: 0) }
        contents.ignored.merge(files.found.foreign) { own, _ in own }
        let count = weights.fileCount > 1 ? " in \(weights.fileCount) files" : ""
        self.init(
            path: weights.path, layout: contents.layout,
            summary: "\(contents.summary) (\(weights.format.rawValue)\(count))",
            location: files.found.location,
            configuration: contents.configuration, preprocessing: contents.preprocessing, labels: contents.labels,
            activation: contents.activation, assumptions: contents.assumptions, unstated: contents.unstated,
            tensors: weights.tensors.map(\.description),
            ignored: contents.ignored.sorted { $0.key < $1.key }.map { (name: $0.key, reason: $0.value) },
            recipes: contents.recipes)
    }
}

extension CheckpointContents {
    /// A processor that makes another size of image than the positions were trained for is right: DINOv2 is trained at 518
    /// pixels and used at 224. The positions are interpolated then.
    fileprivate mutating func fitToPreprocessing() {
        var output = preprocessing.crop
        if output == nil, case .exact(let width, let height) = preprocessing.resize {
            output = Size(height: height, width: width)
        }
        guard let output, output != configuration.imageSize else { return }
        let trained = configuration.positionImageSize ?? configuration.imageSize
        configuration.takeImages(of: output)
        if trained != output {
            assumptions.append(
                "Positions for \(trained.width) × \(trained.height) pixels are interpolated to the "
                    + "\(output.width) × \(output.height) that the preprocessing makes.")
        }
    }
}
