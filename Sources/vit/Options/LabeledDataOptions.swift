import ArgumentParser
import Datasets

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
            "Fraction to hold out for validation if the data are not split; the same images as in training with this "
                + "fraction and seed.", valueName: "f"))
    var validationFraction = 0.0

    @Option(help: ArgumentHelp("Random seed for the split.", valueName: "n"))
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
