import ArgumentParser
import Datasets
import Models
import Support
import SwiftViT

struct ReconstructCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconstruct",
        abstract: "Reconstruct masked images with a masked autoencoder.",
        discussion: """
            Examples:
              vit reconstruct photo.jpg --model run/model --output photo-panels.png
              vit reconstruct photos/ --model run/model --output out/ --mask-ratio 0.9
              vit reconstruct photos/ --model mae.pth --output out/ --format json > out.jsonl

            Each output shows four panels: the original, the masked input, the reconstruction, and the reconstruction \
            with the visible patches pasted back. A model trained on normalised patches predicts neither brightness nor \
            contrast; a caption explains how its patches are shown.
            """)

    @Argument(help: .imagePaths)
    var paths: [String]

    @Option(
        name: .shortAndLong,
        help: "Masked autoencoder with its decoder: a directory, a weights file, or OWNER/NAME on the Hugging Face hub."
    )
    var model: String

    @Option(name: .shortAndLong, help: .outputImages)
    var output: String

    @Option(
        help: ArgumentHelp(
            "Share of patches to remove. (default: the checkpoint's; 0.75 where it states none)", valueName: "r"))
    var maskRatio: Double?

    @Option(help: "How masked patches are sampled.")
    var sampling = MaskSampling.random

    @Option(help: ArgumentHelp("Random seed of the mask.", valueName: "n"))
    var seed: UInt64 = 0

    @Option(
        help: ArgumentHelp(
            "Noise to mask by instead, float32 (images, patches); the patches with the lowest values are kept.",
            valueName: "noise.npy"))
    var noise: String?

    @Option(
        help: ArgumentHelp(
            "Also write the decoder's output, float32 (images, patches, values per patch).", valueName: "out.npy"))
    var prediction: String?

    @Option(help: "What the decoder predicts. (default: the checkpoint's)")
    var target: ShownTarget?

    @Option(name: .shortAndLong, help: .format)
    var format = ResultFormat.text

    @Option(help: .batchSize)
    var batchSize = MAEReconstructor.Options().batchSize

    @OptionGroup var source: WeightsOptions
    @OptionGroup var inference: InferenceOptions

    func validate() throws {
        try checkPaths(paths)
        if output.isEmpty { throw ValidationError("--output takes a directory, or the name of a file") }
        if let maskRatio, !(maskRatio >= 0 && maskRatio < 1) {
            throw ValidationError("--mask-ratio takes a number from 0 up and below 1, such as 0.75, not \(maskRatio)")
        }
        try checkBatchSize(batchSize)
    }

    func run() throws {
        let unfinished = UnfinishedFiles()
        Interruption.watch(removing: unfinished)
        let inputs = try InputPaths(expanding: paths).inputs
        let files = try ImageFiles(output: output, inputCount: inputs.count, unfinished: unfinished)
        let reconstructor = try MAEReconstructor(
            ModelLocation.open(model, weights: source, isQuiet: inference.shared.quiet), options: options)
        inference.threads.noteShortage(in: reconstructor.engine, unless: inference.shared.quiet)
        warnOfAssumption(reconstructor)
        let encoder = reconstructor.configuration.encoder
        let noise = try noise.map { path throws(FileError) in try NumPyMatrix(contentsOfFile: path) }
        if let noise { try reconstructor.check(noise, inputCount: inputs.count) }
        let predictionFile = try prediction.map { path throws(FileError) in
            try NumPyWriter(
                path, rowShape: [encoder.patchCount, reconstructor.configuration.targetLength], unfinished: unfinished)
        }
        try files.makeDirectory()
        var run = ReconstructionRun(
            inputCount: inputs.count, format: format, files: files, prediction: predictionFile,
            isStrict: inference.images.strict, showsProgress: !inference.shared.quiet)
        try reconstructor.reconstruct(inputs, noise: noise) { try run.take($0) }
        try run.finish()
    }

    private var options: MAEReconstructor.Options {
        var options = MAEReconstructor.Options()
        inference.apply(to: &options)
        options.batchSize = batchSize
        options.maskRatio = maskRatio
        options.sampling = sampling
        options.seed = seed
        options.target = target?.target
        return options
    }

    /// Warns of an assumed target: a wrong guess makes wrong images.
    private func warnOfAssumption(_ reconstructor: MAEReconstructor) {
        guard target == nil, reconstructor.checkpoint.unstated.contains(MAEConfiguration.targetName) else { return }
        let taken = reconstructor.configuration.target == .normalized ? "normalised patches" : "pixels"
        StandardError.report(
            "Warning: \(reconstructor.checkpoint.path) does not state what its decoder predicts; \(taken) are "
                + "assumed; use --target to override")
    }
}

/// Decoder targets that can be shown as images.
enum ShownTarget: String, ExpressibleByArgument, CaseIterable {
    case normalized, pixels

    var target: MAEConfiguration.Target { self == .normalized ? .normalized : .pixels }
}

extension MaskSampling: ExpressibleByArgument {}
