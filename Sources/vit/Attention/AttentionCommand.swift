import ArgumentParser
import Checkpoints
import Datasets
import SwiftViT
import Support

struct AttentionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attention",
        abstract: "Show where a model looks in pictures.",
        discussion: """
            Examples:
              vit attention photo.jpg --model dino --output photo-heads.png
              vit attention photos/ --model dino --output sheets/ --layer 6
              vit attention photo.jpg --model dino --output head-3.png --head 3
              vit attention photos/ --output rollouts/ --rollout

            Without --head and --rollout, each picture becomes a sheet of all heads of the layer. What is drawn is how \
            much the class token attends to each patch. --rollout follows the attention through all layers up to the \
            one named (Abnar and Zuidema 2020).
            """)

    @Argument(help: "Image files, directories, @FILE with a path a line, or - for one image from standard input.")
    var paths: [String]

    @Option(name: .shortAndLong, help: "A directory, a weights file, or the name of a folder under checkpoints/.")
    var model = ModelLocation.builtIn

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The directory for the pictures, or for one picture its name, which ends in .png.",
            valueName: "dir|file.png"))
    var output: String

    @Option(help: ArgumentHelp("The layer, counted from 1. (default: the last)", valueName: "n"))
    var layer: Int?

    @Option(help: ArgumentHelp("Draw one head, counted from 1.", valueName: "n"))
    var head: Int?

    @Flag(help: "Draw the attention of all layers together.")
    var rollout = false

    @Option(
        help: ArgumentHelp(
            "Also write the weights, float32 (images, heads, tokens, tokens); with --head or --rollout (images, tokens, "
                + "tokens).", valueName: "out.npy"))
    var weights: String?

    @Option(name: .shortAndLong, help: "How the names of the pictures are told.")
    var format = ReconstructionFormat.text

    @OptionGroup(title: "Preprocessing, where it shall differ from the checkpoint's")
    var preprocessing: PreprocessingOptions

    @OptionGroup var images: ImageOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var shared: SharedOptions

    func validate() throws {
        if paths.isEmpty { throw ValidationError("Name at least one picture, directory or list.") }
        if output.isEmpty { throw ValidationError("--output takes a directory, or the name of a picture") }
        if head != nil && rollout { throw ValidationError("--head and --rollout exclude each other; give one.") }
    }

    func run() throws {
        let unfinished = UnfinishedFiles()
        Interruption.watch(removing: unfinished)
        let inputs = try InputPaths(expanding: paths).inputs
        let pictures = try PanelFiles(output: output, inputCount: inputs.count, unfinished: unfinished)
        let reader = try AttentionReader(Checkpoint.open(ModelLocation.find(model)), options: options)
        let (heads, tokenCount) = (reader.configuration.heads, reader.configuration.tokenCount)
        if let head, !(1...heads).contains(head) {
            throw CommandFailure(.usage, "--head takes a number from 1 to \(heads), not \(head)")
        }
        let isMatrix = head != nil || rollout
        let weightsFile = try weights.map { path throws(FileError) in
            try NumPyWriter(
                path, rowShape: (isMatrix ? [] : [heads]) + [tokenCount, tokenCount], unfinished: unfinished)
        }
        try pictures.makeDirectory()
        var run = AttentionRun(
            inputCount: inputs.count, drawing: rollout ? .rollout : head.map { .head($0) } ?? .sheet, format: format,
            pictures: pictures, weights: weightsFile, isStrict: images.strict, showsProgress: !shared.quiet)
        try reader.read(inputs) { try run.take($0) }
        try run.finish()
    }

    private var options: AttentionReader.Options {
        var options = AttentionReader.Options()
        options.threads = threads.threads
        options.overrides = preprocessing.overrides
        options.decoding = images.decoding
        options.layer = layer
        return options
    }
}
