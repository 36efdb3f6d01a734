import ArgumentParser
import Checkpoints
import SwiftViT
import Support

struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Write a checkpoint in another layout.",
        discussion: """
            Examples:
              vit convert mae_pretrain_vit_base.pth --to hf --output mae-base/
              vit convert ViT-B_16.npz --to timm --output vit-b16/ --half
            """)

    @Argument(help: "A directory, a weights file, or the name of a folder under checkpoints/.")
    var model: String

    @Option(help: "For transformers, for timm, or for the scripts of MAE's authors.")
    var to: ExportLayout

    @Option(name: .shortAndLong, help: ArgumentHelp("The directory to write.", valueName: "dir"))
    var output: String

    @Flag(help: "Round the weights to 16 bits: half the size.")
    var half = false

    @Flag(help: "Leave out the decoder of a masked autoencoder.")
    var encoderOnly = false

    @Flag(help: "Write into a directory that holds files already, and replace those of the same names.")
    var force = false

    @OptionGroup var shared: SharedOptions

    func run() throws {
        let unfinished = UnfinishedFiles()
        Interruption.watch(removing: unfinished)
        let checkpoint = try Checkpoint.open(ModelLocation.find(model))
        let directory = try OutputDirectory(output, existing: force ? .merge : .refuse, unfinished: unfinished)
        let losses = try checkpoint.convert(
            to: to, directory: directory.unfinishedPath, halfPrecision: half, includingDecoder: !encoderOnly)
        try directory.commit()
        if !shared.quiet { for loss in losses { StandardError.write("Note: \(loss)\n") } }
    }
}

extension ExportLayout: ExpressibleByArgument {}
