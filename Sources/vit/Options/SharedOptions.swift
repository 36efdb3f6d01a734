import ArgumentParser
import Compute
import Imaging
import Models
import SwiftViT

extension ArgumentHelp {
    /// The images that a command reads.
    static let imagePaths: ArgumentHelp =
        "Image files, directories or .tar archives, @FILE with one path per line, or - for one image on standard input."

    /// The labelled images that a command reads.
    static let labeledData: ArgumentHelp =
        "A folder or .tar of class folders, or a CSV table with the columns path,label[,split]."

    /// The embeddings that a command reads.
    static let embeddings = ArgumentHelp(
        "Embeddings, one row per image, as vit embed writes them.", valueName: "index.npy")

    static let model: ArgumentHelp =
        "A directory, a weights file, the name of a folder under checkpoints/, or OWNER/NAME[@REVISION] on the Hugging Face hub."
    static let format: ArgumentHelp = "Output format."
    static let batchSize = ArgumentHelp("Images per forward pass; results do not depend on it.", valueName: "n")
    static let labels = ArgumentHelp("Class names: one per line, or JSON.", valueName: "file")
    static let activation = ArgumentHelp(
        "What makes probabilities of the logits. (default: as the checkpoint states, else softmax; sigmoid for one class)",
        valueName: "softmax|sigmoid|none")
    static let outputImages = ArgumentHelp(
        "Output directory; for a single image, also a file name that ends in .png.", valueName: "dir|file.png")
}

extension HeadActivation: ExpressibleByArgument {}

/// Options of every command.
struct SharedOptions: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Suppress progress output.")
    var quiet = false
}

/// How models of the Hugging Face hub are had.
struct HubOptions: ParsableArguments {
    @Flag(help: "Never download a model; of the Hugging Face hub, only what is in the local cache is used.")
    var offline = false
}

/// Which model of a file is read.
struct WeightsOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Which model to read of a file with several: the keys and names that it lies under, as vit inspect prints them. "
                + "(default: the teacher or average)", valueName: "key"))
    var weights: String?

    @OptionGroup var hub: HubOptions
}

/// Options of every command that runs a model.
struct ThreadOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Number of threads; results do not depend on it. (default: the cores this process may use)", valueName: "n")
    )
    var threads: Int?

    func validate() throws {
        if let threads, !(1...Self.maximum).contains(threads) {
            throw ValidationError("--threads takes a number from 1 to \(Self.maximum), not \(threads)")
        }
    }

    /// The number asked for; else, of several processes on this machine, the share of each, or nil for all cores.
    var count: Int? { Processes.threads(threads) }

    /// Says on standard error where an engine got fewer threads than it was to have.
    func noteShortage(in engine: any Engine, unless isQuiet: Bool) {
        guard !isQuiet, let note = engine.shortage(of: count) else { return }
        StandardError.report(note)
    }

    private static let maximum = 1024
}

/// The option of every command that runs a model forward.
struct PrecisionOptions: ParsableArguments {
    @Option(
        help: """
            Precision of the matrix products. float32 is exact to the references. bfloat16 takes half the memory for weights, and \
            is faster where the processor is made for it; int8 takes a quarter, and is two to three times as fast. What they \
            cost on your images, vit evaluate --compare-precision tells.
            """)
    var precision = Precision.float32
}

extension Precision: ExpressibleByArgument {}

/// Options of every command that reads images.
struct ImageOptions: ParsableArguments {
    @Flag(help: "Stop at the first image that cannot be read.")
    var strict = false

    @Flag(help: "Ignore the EXIF orientation.")
    var ignoreOrientation = false

    @Flag(
        help: """
            Decode a JPEG at 1/2, 1/4 or 1/8 of its size if the resize shrinks it at least as much. Takes less time and \
            memory; pixels differ slightly, and damage below the last row that the model receives may go unnoticed.
            """)
    var fastDecode = false

    @Flag(help: "Read damaged images as far as they go, and name each.")
    var lenient = false

    @Option(help: ArgumentHelp("Maximum pixels per image.", valueName: "n"))
    var maxPixels = DecodingOptions().maxPixels

    func validate() throws {
        if maxPixels < 1 { throw ValidationError("--max-pixels takes a number from 1 up, not \(maxPixels)") }
    }

    var decoding: DecodingOptions {
        var options = DecodingOptions()
        options.appliesOrientation = !ignoreOrientation
        options.maxPixels = maxPixels
        options.reducesScale = fastDecode
        if lenient {
            options.onDamage = { path, damage in
                StandardError.report("Warning: \(path): \(damage); it is read as far as it goes")
            }
        }
        return options
    }
}

/// Options of every command that runs a model over images.
struct InferenceOptions: ParsableArguments {
    @OptionGroup(title: "Preprocessing (overrides the checkpoint's)")
    var preprocessing: PreprocessingOptions

    @OptionGroup var precision: PrecisionOptions
    @OptionGroup var images: ImageOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var shared: SharedOptions

    func apply(to options: inout some ModelRunOptions) {
        options.threads = threads.count
        options.precision = precision.precision
        options.overrides = preprocessing.overrides
        options.decoding = images.decoding
    }
}

/// Throws unless `size` is a batch size.
func checkBatchSize(_ size: Int) throws {
    guard (1...4096).contains(size) else {
        throw ValidationError("--batch-size takes a number from 1 to 4096, not \(size)")
    }
}

/// Throws where a command is given no images.
func checkPaths(_ paths: [String]) throws {
    if paths.isEmpty { throw ValidationError("Name at least one image, directory or list.") }
}
