import ArgumentParser
import Models
import Support
import SwiftViT

struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Convert a checkpoint to another layout.",
        discussion: """
            Examples:
              vit convert mae_pretrain_vit_base.pth --to hf --output mae-base/
              vit convert ViT-B_16.npz --to timm --output vit-b16/ --half
            """)

    @Argument(help: .model)
    var model: String

    @Option(help: "Target layout: transformers (hf), timm, OpenCLIP (open_clip), or the MAE authors' scripts (mae).")
    var to: ExportLayout

    @Option(name: .shortAndLong, help: ArgumentHelp("Output directory.", valueName: "dir"))
    var output: String

    @Flag(help: "Store the weights as float16, half the size.")
    var half = false

    @Flag(help: "Omit the decoder of a masked autoencoder, or the text tower beside a vision tower.")
    var encoderOnly = false

    @Flag(help: "Write into a non-empty directory, replacing files of the same names.")
    var force = false

    @OptionGroup var source: WeightsOptions
    @OptionGroup var shared: SharedOptions

    func run() throws {
        let unfinished = UnfinishedFiles()
        Interruption.watch(removing: unfinished)
        let checkpoint = try ModelLocation.open(model, weights: source, isQuiet: shared.quiet)
        let directory = try OutputDirectory(output, existing: force ? .merge : .refuse, unfinished: unfinished)
        let losses = try directory.write { folder in
            try checkpoint.convert(to: to, directory: folder, halfPrecision: half, includingDecoder: !encoderOnly)
                + (encoderOnly ? [] : TokenizerFiles.copy(from: checkpoint, to: folder, layout: to))
        }
        if !shared.quiet { for loss in losses { StandardError.report("Note: \(loss)") } }
    }
}

extension ExportLayout: ExpressibleByArgument {}
