import ArgumentParser
import Compute

@main
struct Vit: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vit",
        abstract: "Vision Transformers: what is in a picture, and what is in a checkpoint.",
        discussion: """
            Examples:
              vit classify photo.jpg
              vit classify figures/ --format csv > labels.csv
              vit embed photos/ --output photos.npy
              vit search photos.npy query.jpg
              vit evaluate photos/ --model runs/photos/model
              vit reconstruct photo.jpg --model runs/photos/model --output panels.png
              vit inspect charts-vit-tiny
              vit convert checkpoint.pth --to hf --output model/

            Exit codes: 0 all done; 1 done, but some inputs failed; 64 usage; 65 malformed data or checkpoint;
            66 no such input; 73 cannot create output; 74 I/O error; 130 interrupted; 143 terminated.
            """,
        subcommands: [
            ClassifyCommand.self, EmbedCommand.self, SearchCommand.self, DuplicatesCommand.self, MapCommand.self,
            PretrainCommand.self, FinetuneCommand.self, EvaluateCommand.self, ProbeCommand.self,
            ReconstructCommand.self, AttentionCommand.self, InspectCommand.self, ConvertCommand.self,
            BenchmarkCommand.self,
        ])

    static func main() {
        do {
            var command = try parseAsRoot()
            try Engines.checkEnvironment()
            try command.run()
        } catch {
            end(with: error)
        }
    }

    /// Ends the process as the contract of exit codes has it.
    private static func end(with error: any Error) -> Never {
        guard let failure = CommandFailure(error) else { exit(withError: error) }
        if let message = failure.message { StandardError.write("Error: \(message)\n") }
        failure.status.end()
    }
}
