import ArgumentParser
import Datasets
import Models
import Support
import SwiftViT

struct AttentionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attention",
        abstract: "Draw attention maps over images.",
        discussion: """
            Examples:
              vit attention photo.jpg --model dino --output photo-heads.png
              vit attention photos/ --model dino --output sheets/ --layer 6
              vit attention photo.jpg --model dino --output head-3.png --head 3
              vit attention photos/ --output rollouts/ --rollout

            Maps show how much the class token attends to each patch. By default, all heads of the layer are drawn, one \
            sheet per image. --rollout multiplies the attention of all layers up to --layer (Abnar and Zuidema 2020).
            """)

    @Argument(help: .imagePaths)
    var paths: [String]

    @Option(name: .shortAndLong, help: .model)
    var model = ModelLocation.builtIn

    @Option(name: .shortAndLong, help: .outputImages)
    var output: String

    @Option(help: ArgumentHelp("Layer, counted from 1. (default: the last)", valueName: "n"))
    var layer: Int?

    @Option(help: ArgumentHelp("Draw a single head, counted from 1.", valueName: "n"))
    var head: Int?

    @Flag(help: "Draw the attention rollout.")
    var rollout = false

    @Option(
        help: ArgumentHelp(
            "Also write the weights as float32 (images, heads, tokens, tokens); with --head or --rollout (images, tokens, "
                + "tokens).", valueName: "out.npy"))
    var weights: String?

    @Option(name: .shortAndLong, help: .format)
    var format = ResultFormat.text

    @OptionGroup var hub: HubOptions
    @OptionGroup var inference: InferenceOptions

    func validate() throws {
        try checkPaths(paths)
        if output.isEmpty { throw ValidationError("--output takes a directory, or the name of a file") }
        if head != nil && rollout { throw ValidationError("--head and --rollout exclude each other; give one.") }
    }

    func run() throws {
        let unfinished = UnfinishedFiles()
        Interruption.watch(removing: unfinished)
        let inputs = try InputPaths(expanding: paths).inputs
        let files = try ImageFiles(output: output, inputCount: inputs.count, unfinished: unfinished)
        let reader = try AttentionReader(
            Checkpoint.open(ModelLocation.find(model, hub: hub, isQuiet: inference.shared.quiet)), options: options)
        reader.checkpoint.noteAssumptions(unless: inference.shared.quiet)
        inference.threads.noteShortage(in: reader.engine, unless: inference.shared.quiet)
        let (heads, tokenCount) = (reader.configuration.heads, reader.configuration.tokenCount)
        if let head, !(1...heads).contains(head) {
            throw CommandFailure(.usage, "--head takes a number from 1 to \(heads), not \(head)")
        }
        let isMatrix = head != nil || rollout
        let weightsFile = try weights.map { path throws(FileError) in
            try NumPyWriter(
                path, rowShape: (isMatrix ? [] : [heads]) + [tokenCount, tokenCount], unfinished: unfinished)
        }
        try files.makeDirectory()
        var run = AttentionRun(
            inputCount: inputs.count, drawing: rollout ? .rollout : head.map { .head($0) } ?? .sheet, format: format,
            files: files, weights: weightsFile, isStrict: inference.images.strict,
            showsProgress: !inference.shared.quiet)
        try reader.read(inputs) { try run.take($0) }
        try run.finish()
    }

    private var options: AttentionReader.Options {
        var options = AttentionReader.Options()
        inference.apply(to: &options)
        options.layer = layer
        return options
    }
}
