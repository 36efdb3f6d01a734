import Compute
import LibC
import Models
import Support

/// A trained classifier that the distillation token learns from (Touvron et al. 2021, section 4).
final class Teacher {
    private let model: Classifier
    private let engine: any Engine
    private let kind: ClassificationSettings.Distillation
    /// The index of each class of the data among the teacher's classes.
    private let places: [Int]
    /// For each channel the factor and the summand that normalize the student's pixels as the teacher's.
    private let adaptation: [(factor: Float, summand: Float)]
    private let images: Tensor
    private let logits: Tensor
    private let targets: Tensor

    /// The usual constants: λ 0.5 for hard distillation; λ 0.1 and τ 3 for soft.
    private var constants: (weight: Double, temperature: Double) { kind == .hard ? (0.5, 1) : (0.1, 3) }

    init(_ path: String, settings: TrainingSettings<ClassificationSettings>, engine: any Engine) throws {
        let checkpoint = try Checkpoint.open(path)
        var configuration = checkpoint.configuration
        let (encoder, patch, batchSize) = (settings.encoder, configuration.patchSize, settings.run.batchSize)
        let (size, classes) = (encoder.imageSize, settings.method.classes)
        guard configuration.inputChannels == encoder.inputChannels, size.height % patch.height == 0,
            size.width % patch.width == 0
        else {
            throw TrainingError(
                .usage,
                "\(path): takes images of \(configuration.inputChannels) channels in patches of \(patch.text), the run has "
                    + "\(size.text) pixels of \(encoder.inputChannels) channels; expected a teacher for these")
        }
        if configuration.imageSize != size {
            configuration.positionImageSize = configuration.positionImageSize ?? configuration.imageSize
            configuration.imageSize = size
        }
        places = try Self.places(of: classes, checkpoint)
        self.engine = engine
        kind = settings.method.distillation
        model = try Classifier(configuration, from: checkpoint, engine: engine, batchSize: batchSize)
        adaptation = Self.adaptation(settings.run, checkpoint)
        images = Tensor(shape: encoder.imageShape(count: batchSize))
        logits = Tensor(shape: [batchSize, configuration.classCount])
        targets = Tensor(shape: [batchSize, classes.count])
    }

    private static func places(of classes: [String], _ checkpoint: Checkpoint) throws(TrainingError) -> [Int] {
        let labels = checkpoint.labels ?? []
        let places = classes.compactMap { labels.firstIndex(of: $0) }
        if places.count == classes.count { return places }
        if checkpoint.labels == nil, checkpoint.configuration.classCount == classes.count {
            return Array(classes.indices)
        }
        let missing = classes.first { !labels.contains($0) } ?? ""
        throw TrainingError(
            .usage,
            "\(checkpoint.path): does not know the class \"\(missing)\"; expected a teacher of the data's classes")
    }

    private static func adaptation(_ run: RunSettings, _ checkpoint: Checkpoint) -> [(factor: Float, summand: Float)] {
        let (mean, std) = (checkpoint.preprocessing.mean, checkpoint.preprocessing.std)
        return (0..<run.mean.count).map { channel in
            let (theirMean, theirStd) = (mean[mean.count == 1 ? 0 : channel], std[std.count == 1 ? 0 : channel])
            return (Float(run.std[channel] / theirStd), Float((run.mean[channel] - theirMean) / theirStd))
        }
    }

    /// The teacher's answer to images (B, C, height, width) that are normalized for the student.
    func distillation(_ studentImages: Tensor) -> TrainableClassifier.Distillation {
        let planeSize = studentImages.shape[2] * studentImages.shape[3]
        engine.fillRows(of: images) { image, values in
            let pixels = studentImages.rows(image..<image + 1).values
            for (channel, change) in adaptation.enumerated() {
                for pixel in channel * planeSize..<(channel + 1) * planeSize {
                    values[pixel] = pixels[pixel] * change.factor + change.summand
                }
            }
        }
        model.logits(images, into: logits)
        targets.assign((0..<targets.shape[0]).flatMap { target(logits.rows($0..<$0 + 1).values) })
        return .init(targets: targets, weight: constants.weight, temperature: constants.temperature)
    }

    /// The target of one image, from the teacher's logits.
    private func target(_ answer: [Float]) -> [Float] {
        let logits = places.map { answer[$0] }
        let best = logits.indices.reduce(0) { logits[$1] > logits[$0] ? $1 : $0 }
        guard kind == .soft else { return logits.indices.map { $0 == best ? 1 : 0 } }
        let powers = logits.map { exp(Double($0 - logits[best]) / constants.temperature) }
        let sum = powers.reduce(0, +)
        return powers.map { Float($0 / sum) }
    }
}
