import ArgumentParser
import Datasets

/// Which pictures of a labelled set a command is about.
struct LabeledDataOptions: ParsableArguments {
    /// A part of a set, by the names that tables and folders use.
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

    @Option(help: "The part to measure on. (default: test, else val, else all pictures)")
    var split: Split?

    @Option(
        help: ArgumentHelp(
            "The part held out for validation, where the data name none; the same pictures as in training with this "
                + "fraction and seed.", valueName: "f"))
    var validationFraction = 0.0

    @Option(help: ArgumentHelp("Decides which pictures are held out.", valueName: "n"))
    var seed: UInt64 = 0

    func validate() throws {
        if !(0..<1).contains(validationFraction) {
            throw ValidationError(
                "--validation-fraction takes a number from 0 up and below 1, not \(validationFraction)")
        }
    }

    /// How the set is read.
    var options: ImageDataset.Options {
        var options = ImageDataset.Options()
        options.validationFraction = validationFraction
        options.seed = seed
        return options
    }
}
