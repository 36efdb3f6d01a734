import ArgumentParser
import Checkpoints
import Datasets
import SwiftViT
import Models
import Support

struct ReconstructCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconstruct",
        abstract: "Show what a masked autoencoder makes of pictures with patches removed.",
        discussion: """
            Examples:
              vit reconstruct photo.jpg --model runs/tiles/model --output photo-panels.png
              vit reconstruct photos/ --model runs/tiles/model --output panels/ --mask-ratio 0.9
              vit reconstruct photos/ --model mae.pth --output panels/ --sampling grid --format json > losses.jsonl

            Each picture becomes four side by side: the original, what the encoder sees, the reconstruction, and the \
            reconstruction with the visible patches in it. A model of normalised patches predicts neither their \
            brightness nor their contrast; the picture says how they were shown.
            """)

    @Argument(help: "Image files, directories, @FILE with a path a line, or - for one image from standard input.")
    var paths: [String]

    @Option(name: .shortAndLong, help: "A masked autoencoder with its decoder: a directory or a weights file.")
    var model: String

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The directory for the pictures, or for one picture its name, which ends in .png.",
            valueName: "dir|file.png"))
    var output: String

    @Option(
        help: ArgumentHelp(
            "Share of patches to remove. (default: the checkpoint's; 0.75 where it states none)", valueName: "r"))
    var maskRatio: Double?

    @Option(help: "How the patches are drawn.")
    var sampling = MaskSampling.random

    @Option(help: ArgumentHelp("Decides which patches are drawn.", valueName: "n"))
    var seed: UInt64 = 0

    @Option(
        help: ArgumentHelp(
            "Draw nothing: float32 of the shape (images, patches); the patches with the smallest numbers stay.",
            valueName: "noise.npy"))
    var noise: String?

    @Option(
        help: ArgumentHelp(
            "Also write what the decoder gives, float32 (images, patches, numbers of a patch).", valueName: "out.npy"))
    var prediction: String?

    @Option(help: "What the decoder gives. (default: what the checkpoint says)")
    var target: ShownTarget?

    @Option(name: .shortAndLong, help: "How the results are written.")
    var format = ReconstructionFormat.text

    @Option(help: ArgumentHelp("Pictures computed at once; results do not depend on it.", valueName: "n"))
    var batchSize = MAEReconstructor.Options().batchSize

    @OptionGroup(title: "Preprocessing, where it shall differ from the checkpoint's")
    var preprocessing: PreprocessingOptions

    @OptionGroup var images: ImageOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var shared: SharedOptions

    private static let largestBatch = 4096

    func validate() throws {
        if paths.isEmpty { throw ValidationError("Name at least one picture, directory or list.") }
        if output.isEmpty { throw ValidationError("--output takes a directory, or the name of a picture") }
        if let maskRatio, !(maskRatio >= 0 && maskRatio < 1) {
            throw ValidationError("--mask-ratio takes a number from 0 up and below 1, such as 0.75, not \(maskRatio)")
        }
        if !(1...Self.largestBatch).contains(batchSize) {
            throw ValidationError("--batch-size takes a number from 1 to \(Self.largestBatch), not \(batchSize)")
        }
    }

    func run() throws {
        let unfinished = UnfinishedFiles()
        Interruption.watch(removing: unfinished)
        let inputs = try InputPaths(expanding: paths).inputs
        let pictures = try PanelFiles(output: output, inputCount: inputs.count, unfinished: unfinished)
        let reconstructor = try MAEReconstructor(Checkpoint.open(ModelLocation.find(model)), options: options)
        tellAssumption(reconstructor)
        let encoder = reconstructor.configuration.encoder
        let noise = try noise.map { path throws(FileError) in try NumPyMatrix(contentsOfFile: path) }
        if let noise { try reconstructor.check(noise, inputCount: inputs.count) }
        let predictionFile = try prediction.map { path throws(FileError) in
            try NumPyWriter(
                path, rowShape: [encoder.patchCount, reconstructor.configuration.targetLength], unfinished: unfinished)
        }
        try pictures.makeDirectory()
        var run = ReconstructionRun(
            inputCount: inputs.count, format: format, pictures: pictures, prediction: predictionFile,
            isStrict: images.strict, showsProgress: !shared.quiet)
        try reconstructor.reconstruct(inputs, noise: noise) { try run.take($0) }
        try run.finish()
    }

    private var options: MAEReconstructor.Options {
        var options = MAEReconstructor.Options()
        options.threads = threads.threads
        options.batchSize = batchSize
        options.overrides = preprocessing.overrides
        options.decoding = images.decoding
        options.maskRatio = maskRatio
        options.sampling = sampling
        options.seed = seed
        options.target = target?.target
        return options
    }

    /// Says what is taken for granted about the target: a wrong guess makes wrong pictures.
    private func tellAssumption(_ reconstructor: MAEReconstructor) {
        guard target == nil, !reconstructor.checkpoint.statesMAETarget else { return }
        let taken = reconstructor.configuration.target == .normalized ? "normalised patches" : "pixels"
        StandardError.write(
            "Warning: \(printable(reconstructor.checkpoint.path)) does not say what its decoder gives; \(taken) are "
                + "assumed, and --target says otherwise\n")
    }
}

/// What a decoder gives that can be shown.
enum ShownTarget: String, ExpressibleByArgument, CaseIterable {
    case normalized, pixels

    var target: MAEConfiguration.Target { self == .normalized ? .normalized : .pixels }
}
