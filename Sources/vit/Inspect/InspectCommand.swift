import ArgumentParser
import Checkpoints
import Features

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Say what is in a checkpoint: layout, model, preprocessing, every tensor.",
        discussion: """
            Examples:
              vit inspect charts-vit-tiny
              vit inspect pytorch_model.bin --format json
            """)

    /// How the description is written.
    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    @Argument(help: "A directory, a weights file, or the name of a folder under checkpoints/.")
    var model: String

    @Option(name: .shortAndLong, help: "How the description is written.")
    var format = Format.text

    @OptionGroup var shared: SharedOptions

    func run() throws {
        Interruption.watch(removing: UnfinishedFiles())
        let checkpoint = try Checkpoint.open(ModelLocation.find(model))
        let output = StandardOutput()
        switch format {
        case .text: try output.write(InspectText(checkpoint).text)
        case .json: try output.write(checkpoint.json.text() + "\n")
        }
        try output.flush()
    }
}
