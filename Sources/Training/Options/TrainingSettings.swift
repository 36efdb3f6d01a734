import Datasets
import Imaging
import Models
import Support

/// Every setting of a run, resolved: enough to start the same run again.
public struct TrainingSettings<Own: Sendable & Equatable>: Sendable, Equatable {
    /// What every run has.
    public var run = RunSettings()
    /// The shape of the encoder, where it is a Vision Transformer.
    public var vit = ViTConfiguration(Architecture.tiny)
    /// The encoder of another family, which comes from a checkpoint.
    var adopted: AdoptedModel?
    /// What only this method has.
    public var method: Own
    /// What is asked for in other terms; empty once the settings are resolved.
    public var request = TrainingRequest()

    init(_ method: Own) { self.method = method }

    /// The shape of the encoder.
    public var encoder: any ModelConfiguration { adopted?.configuration ?? vit }

    /// What the model expects to be done to an image outside of training.
    public var preprocessing: Preprocessing {
        let size = encoder.imageSize
        return Preprocessing(
            resize: isCropped ? .shortestEdge(size.width) : .exact(width: size.width, height: size.height),
            crop: isCropped ? size : nil, mean: run.mean, std: run.std)
    }

    /// How images are decoded; an `ImageStore` keeps the names of the damaged ones.
    var decoding: DecodingOptions {
        var options = DecodingOptions()
        options.channels = encoder.inputChannels
        options.maxPixels = run.maxPixels
        if run.isLenient { options.onDamage = { _, _ in } }
        return options
    }

    /// The same for a training image, before it is normalized.
    var wholeImage: Augmentation {
        isCropped ? .none(size: encoder.imageSize) : .squashed(size: encoder.imageSize)
    }

    /// Whether the middle is cut out; common preprocessor files can express that for squares only.
    private var isCropped: Bool { run.fit == .crop && encoder.imageSize.width == encoder.imageSize.height }
}

/// A model of another family than the Vision Transformers that options describe.
struct AdoptedModel: Sendable, Equatable {
    var configuration: any ModelConfiguration

    /// As its family writes it.
    var json: JSON { ModelFamilies.family(of: configuration).json(of: configuration) }

    static func == (a: Self, b: Self) -> Bool { a.json == b.json }
}

extension TrainingSettings {
    /// Takes the encoder of a checkpoint, and the normalization and fit that it expects.
    mutating func adopt(_ checkpoint: Checkpoint) {
        let trainable = checkpoint.configuration.backbone.trainable
        if let model = trainable as? ViTConfiguration {
            vit = model
        } else {
            (adopted, vit.imageSize) = (AdoptedModel(configuration: trainable), trainable.imageSize)
        }
        func spread(_ values: [Double]) -> [Double] {
            values.count == 1 ? [Double](repeating: values[0], count: encoder.inputChannels) : values
        }
        (run.mean, run.std) = (spread(checkpoint.preprocessing.mean), spread(checkpoint.preprocessing.std))
        if case .exact = checkpoint.preprocessing.resize { run.fit = .squash }
    }

    /// Where means and deviations do not come from a checkpoint: ImageNet's for colour, their means for grey, 0.5 for
    /// alpha.
    package mutating func assumeColours() {
        let channels = encoder.inputChannels
        guard run.mean.isEmpty || run.mean.count != channels else { return }
        let isGrey = channels <= 2
        let alpha = channels == 2 || channels == 4 ? [0.5] : []
        run.mean = (isGrey ? [0.449] : [0.485, 0.456, 0.406]) + alpha
        run.std = (isGrey ? [0.226] : [0.229, 0.224, 0.225]) + alpha
    }

    /// Makes a step no larger than the data: of few images, a batch takes all, or one of each process its share.
    mutating func fitBatch(imageCount: Int, processCount: Int) {
        guard imageCount > 0, imageCount < run.effectiveBatch else { return }
        run.batchSize = min(run.batchSize, max(1, imageCount / processCount))
        let passes = min(run.accumulate, imageCount / run.batchSize) / processCount
        run.accumulate = max(1, passes) * processCount
    }

    /// Turns the epochs that were asked for into steps of `imageCount` images.
    mutating func applyEpochs(_ given: Set<String>, imageCount: Int) {
        let stepsPerEpoch = Double(imageCount / run.effectiveBatch)
        if given.contains("epochs"), let epochs = request.epochs { run.steps = wholeSteps(epochs * stepsPerEpoch) }
        if given.contains("warmup-epochs"), let epochs = request.warmupEpochs {
            run.warmupSteps = wholeSteps(epochs * stepsPerEpoch)
        }
    }

    /// Settles what was not asked for; the epochs requested in the method's `defaults` are those of a new run.
    mutating func settle(_ given: Set<String>, defaults: TrainingRequest, imageCount: Int) {
        let stepsPerEpoch = Double(imageCount / run.effectiveBatch)
        if !given.contains("epochs"), !given.contains("steps"), let epochs = defaults.epochs {
            run.steps = wholeSteps(epochs * stepsPerEpoch)
        }
        if !given.contains("warmup-epochs") {
            let most = run.steps / 20
            run.warmupSteps = defaults.warmupEpochs.map { min(wholeSteps($0 * stepsPerEpoch), most) } ?? most
        }
        if !given.contains("lr") { run.scaleRate() }
        assumeColours()
        if !given.contains("checkpoint-every") { run.checkpointEvery = max(1, min(1000, run.steps / 20)) }
    }

    private func wholeSteps(_ count: Double) -> Int {
        count.isFinite ? Int(min(max(count.rounded(), 0), Double(SettingKind<Int>.largestCount))) : 0
    }

    /// Refuses settings that do not go together, whatever the method.
    func check() throws(TrainingError) {
        if adopted == nil { try ViTConfiguration.check(width: vit.width, heads: vit.heads) }
        try encoder.checkPatches()
        guard run.mean.count == encoder.inputChannels, run.std.count == run.mean.count else {
            throw TrainingError(
                .malformed,
                "mean and std have \(run.mean.count) and \(run.std.count) numbers for \(encoder.inputChannels) channels"
            )
        }
        guard run.steps > 0 else {
            throw TrainingError(.usage, "--epochs or --steps make a run without a single step; expected more")
        }
    }
}

extension TrainingMethod {
    /// The settings as `config.json` holds them.
    package static func json(_ settings: TrainingSettings<Settings>) -> JSON { json(settings) { _, _ in true } }

    /// The settings that make a difference: not those that others leave without effect, nor what was left out.
    static func usedSettings(_ settings: TrainingSettings<Settings>) -> JSON {
        json(settings) { option, value in
            option.isUsed(settings) && value.string != "" && value.elements?.isEmpty != true
        }
    }

    private static func json(
        _ settings: TrainingSettings<Settings>, where isListed: (TrainingOption<Settings>, JSON) -> Bool
    ) -> JSON {
        .object(
            [JSON.Member("method", .string(name))]
                + options.compactMap { option in
                    guard let key = option.key, option.applies(settings) else { return nil }
                    let value = option.encode(settings)
                    return isListed(option, value) ? JSON.Member(key, value) : nil
                })
    }

    /// The settings of a run, from its `config.json`.
    package static func settings(_ json: JSON, path: String) throws(TrainingError) -> TrainingSettings<Settings> {
        // Runs of earlier versions do not name their method.
        let method = json["method"]?.string ?? name
        guard method == name else {
            throw TrainingError(
                .usage, "\(path): the run's method is \(method), not \(name); name another directory for a new run")
        }
        var settings = defaults
        settings.request = TrainingRequest()
        for option in options {
            guard let key = option.key, json[key] != nil || option.applies(settings) else { continue }
            if json[key] == nil, let assume = option.assume {
                assume(&settings)
                continue
            }
            guard let value = json[key], option.decode(&settings, value) else {
                throw TrainingError(
                    .malformed,
                    "\(path): \(key) is missing or not as a run writes it; expected the file as the run wrote it")
            }
        }
        return settings
    }
}
