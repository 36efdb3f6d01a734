import Datasets
import Imaging
import Models

/// The settings of rotation prediction (Gidaris et al. 2018).
public struct RotationSettings: Sendable, Equatable {
    /// How training images are augmented before they are rotated.
    public var augment = RunSettings.Augment.crop

    init() {}
}

/// Options of a run of rotation prediction.
public typealias RotationOptions = TrainingOptions<RotationSettings>

extension RotationOptions {
    /// Nothing asked for but the data: a folder of images or a table.
    public init(data: String) { self.init(Rotation.self, data: data) }
}

extension Rotation {
    package static var name: String { "rotation" }
    package static var requiresLabels: Bool { false }
    /// As for masked autoencoding: a hundredth of a large set is enough, and each of its images is measured four times.
    package static var holdout: (fraction: Double, imageCount: Int) { MAE.holdout }

    /// The paper's hundred epochs, with the rate and optimizer that suit Vision Transformers.
    package static var defaults: TrainingSettings<RotationSettings> {
        var settings = TrainingSettings(RotationSettings())
        settings.run.baseRate = 5e-4
        settings.run.beta2 = 0.999
        settings.request.epochs = 100
        return settings
    }

    package static var options: [TrainingOption<RotationSettings>] {
        typealias Option = TrainingOption<RotationSettings>
        return Option.source + Option.encoder + Option.encoderVariant + [
            Option(
                "augment", \.method.augment, .choice, under: .data,
                "Augmentation: crop takes random resized crops and flips half of them.")
        ] + Option.images(holdout: "0.01 of 1,000 images or more")
            + Option.optimization(warmup: "a twentieth of the run") + Option.upkeep
    }

    package static func adopt(
        _ checkpoint: Checkpoint, into settings: inout TrainingSettings<RotationSettings>
    ) throws(TrainingError) {
        guard !settings.encoder.hasDistillationToken else {
            throw TrainingError(
                .usage,
                "\(checkpoint.path): has a distillation token, which has no teacher here; expected a checkpoint without one"
            )
        }
    }

    package static func memoryNeed(_ settings: TrainingSettings<RotationSettings>) -> MemoryNeed {
        .training(
            settings.model, imageCount: ImageRotation.count * settings.run.batchSize, copies: settings.run.copies)
    }

    package static func check(
        _ settings: TrainingSettings<RotationSettings>, given: Set<String>
    ) throws(TrainingError) {
        let size = settings.encoder.imageSize
        guard size.width == size.height else {
            throw TrainingError(
                .usage,
                "--method rotation needs square images, not \(size.text); expected one number as --image-size")
        }
        if let fault = Classification.fault(settings.encoder) { throw TrainingError(.usage, fault) }
    }
}

extension TrainingSettings<RotationSettings> {
    /// The shape of the model: the encoder with a head of a class per rotation.
    public var model: any ModelConfiguration {
        var model = encoder
        model.classCount = ImageRotation.count
        return model
    }

    /// A training image before it is rotated.
    var unrotatedImage: Augmentation {
        switch method.augment {
        case .crop: .crop(RandomResizedCrop(size: encoder.imageSize))
        case .none: wholeImage
        }
    }
}
