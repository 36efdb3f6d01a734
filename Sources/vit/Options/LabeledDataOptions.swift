import ArgumentParser
import Datasets
import Models
import Support
import Training

/// Which images of a labelled set to use.
struct LabeledDataOptions: ParsableArguments {
    /// A part of a set, under the name that tables and folders use.
    enum Split: String, ExpressibleByArgument, CaseIterable {
        case train, val, test

        var part: ImageDataset.Part {
            switch self {
            case .train: .training
            case .val: .validation
            case .test: .test
            }
        }
    }

    @Option(help: "Part to evaluate. (default: test, else val, else all images)")
    var split: Split?

    @Option(
        help: ArgumentHelp(
            "Fraction to hold out for validation if the data have no validation part; the same images as in training "
                + "with this fraction and seed. (default: as the model's run held out of these data, else 0)",
            valueName: "f"))
    var validationFraction: Double?

    @Option(help: ArgumentHelp("Random seed for the split.", valueName: "n"))
    var seed: UInt64 = 0

    func validate() throws {
        if let validationFraction, !(0..<1).contains(validationFraction) {
            throw ValidationError(
                "--validation-fraction takes a number from 0 up and below 1, not \(validationFraction)")
        }
    }

    /// The split that `checkpoint` was trained with, where it belongs to a run on the set at `data`.
    func recordedSplit(of checkpoint: Checkpoint, data: String) throws -> RecordedSplit? {
        try RecordedSplit(ofModelAt: checkpoint.path).flatMap { try $0.isOf(dataAt: data) ? $0 : nil }
    }

    /// How the set is read: split as asked for, else as recorded.
    func options(recorded: RecordedSplit?) -> ImageDataset.Options {
        var options = ImageDataset.Options()
        options.seed = seed
        if let validationFraction {
            options.validationFraction = validationFraction
        } else {
            recorded?.apply(to: &options)
        }
        return options
    }

    /// Sentences on what the run behind the model has to do with the measured `samples`.
    func notes(
        on samples: [ImageDataset.Sample], of data: String, recorded: RecordedSplit?
    ) throws(InputError) -> [String] {
        guard let recorded else { return [] }
        let trained = try recorded.trainedCount(among: samples, of: data)
        if trained > 0 {
            return [
                "\(data): \(trained) of the \(samples.count) images measured were trained on by \(recorded.run), so that "
                    + "the result says little about new images"
            ]
        }
        return validationFraction == nil ? ["\(data): split as \(recorded.run) was trained"] : []
    }
}
