import Checkpoints
import Compute
import Models

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A trained model that the distillation token learns from (Touvron et al. 2021, section 4).
final class Teacher {
    private let model: Classifier
    private let engine: any Engine
    private let kind: FinetuningSettings.Distillation
    /// Where each class of the data stands in the teacher's logits.
    private let places: [Int]
    /// For each channel the factor and the summand that turn the student's pixels into the teacher's.
    private let adaptation: [(factor: Float, summand: Float)]
    private let images: Tensor
    private let logits: Tensor
    private let targets: Tensor

    /// The usual constants: λ 0.5 for hard distillation; λ 0.1 and τ 3 for soft.
    private var constants: (weight: Double, temperature: Double) { kind == .hard ? (0.5, 1) : (0.1, 3) }

    init(_ path: String, settings: FinetuningSettings, engine: any Engine) throws {
        let checkpoint = try Checkpoint.open(path)
        var configuration = checkpoint.configuration
        let (size, patch) = (settings.imageSize, configuration.patchSize)
        guard configuration.inputChannels == settings.channels, size.height % patch.height == 0,
            size.width % patch.width == 0
        else {
            throw TrainingError(
                .usage,
                "\(path): takes pictures of \(configuration.inputChannels) channels in patches of \(patch.text), the run "
                    + "makes \(size.text) pixels of \(settings.channels) channels; expected a teacher for these")
        }
        if configuration.imageSize != size {
            configuration.positionImageSize = configuration.positionImageSize ?? configuration.imageSize
            configuration.imageSize = size
        }
        places = try Self.places(of: settings.classes, checkpoint)
        self.engine = engine
        kind = settings.distillation
        model = try Classifier(configuration, from: checkpoint, engine: engine, batchSize: settings.batchSize)
        adaptation = Self.adaptation(settings.run, checkpoint)
        images = Tensor(shape: [settings.batchSize, settings.channels, size.height, size.width])
        logits = Tensor(shape: [settings.batchSize, configuration.classCount])
        targets = Tensor(shape: [settings.batchSize, settings.classes.count])
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
        return (0..<run.channels).map { channel in
            let (theirMean, theirStd) = (mean[mean.count == 1 ? 0 : channel], std[std.count == 1 ? 0 : channel])
            return (Float(run.std[channel] / theirStd), Float((run.mean[channel] - theirMean) / theirStd))
        }
    }

    /// What the teacher says of images (B, C, height, width) as the student sees them.
    func distillation(_ studentImages: Tensor) -> TrainableClassifier.Distillation {
        let planeSize = studentImages.shape[2] * studentImages.shape[3]
        engine.forEachTask(studentImages.shape[0]) { image in
            for (channel, change) in adaptation.enumerated() {
                let first = (image * adaptation.count + channel) * planeSize
                for pixel in first..<first + planeSize {
                    unsafe images.pointer[pixel] = studentImages.pointer[pixel] * change.factor + change.summand
                }
            }
        }
        model.logits(images, into: logits)
        for image in 0..<targets.shape[0] { writeTarget(image) }
        return .init(targets: targets, weight: constants.weight, temperature: constants.temperature)
    }

    private func writeTarget(_ image: Int) {
        let source = unsafe logits.pointer + image * logits.shape[1]
        let target = unsafe targets.pointer + image * places.count
        var best = 0
        for (index, place) in places.enumerated() where unsafe source[place] > source[places[best]] { best = index }
        guard kind == .soft else {
            for index in places.indices { unsafe target[index] = index == best ? 1 : 0 }
            return
        }
        var sum = 0.0
        func power(_ index: Int) -> Double {
            unsafe exp(Double(source[places[index]] - source[places[best]]) / constants.temperature)
        }
        for index in places.indices { sum += power(index) }
        for index in places.indices { unsafe target[index] = Float(power(index) / sum) }
    }
}
