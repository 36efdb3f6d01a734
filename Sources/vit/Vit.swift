import ArgumentParser
import Compute
import Support

@main
struct Vit: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vit",
        abstract: "Classify, embed, explain and reconstruct images with Vision Transformers, and train them.",
        discussion: """
            Examples:
              vit classify photo.jpg
              vit classify figures/ --format csv > labels.csv
              vit attention photo.jpg --output photo-heads.png
              vit embed photos/ --output photos.npy
              vit search photos.npy query.jpg
              vit finetune photos/ --output run --init mae-base/
              vit evaluate photos/ --model run/model
              vit convert checkpoint.pth --to hf --output model/

            Exit codes: 0 success; 1 finished, but some inputs failed; 64 usage error; 65 malformed data or checkpoint; \
            66 no such input; 69 no MPI library; 73 cannot create output; 74 I/O error; 130 interrupted; 143 terminated.
            """,
        version: Version.number,
        groupedSubcommands: [
            CommandGroup(
                name: "Inference",
                subcommands: [
                    ClassifyCommand.self, AttentionCommand.self, ReconstructCommand.self, EvaluateCommand.self,
                    BenchmarkCommand.self,
                ]),
            CommandGroup(
                name: "Embeddings",
                subcommands: [EmbedCommand.self, SearchCommand.self, DuplicatesCommand.self, MapCommand.self]),
            CommandGroup(
                name: "Training", subcommands: [PretrainCommand.self, FinetuneCommand.self, ProbeCommand.self]),
            CommandGroup(
                name: "Checkpoints", subcommands: [InspectCommand.self, ConvertCommand.self, ModelsCommand.self]),
        ])

    static func main() {
        Signals.ignoreThoseOfWrites()
        MappingFailure.watch()
        do {
            var command = try parseAsRoot(arguments)
            try Engines.checkEnvironment()
            try command.run()
        } catch {
            end(with: error)
        }
    }

    /// The arguments; those that are no UTF-8 as text of names, since `CommandLine.arguments` repairs them.
    private static var arguments: [String] {
        (1..<max(1, Int(CommandLine.argc))).compactMap { index in
            unsafe CommandLine.unsafeArgv[index].map { unsafe Files.text(ofName: $0) }
        }
    }

    /// The lines of a message of ArgumentParser, in which an argument cannot begin another one.
    private static func lines(of message: String) -> [String] {
        let words = arguments.flatMap { [$0] + $0.split(separator: "=", maxSplits: 1).dropFirst().map(String.init) }
        let message = words.reduce(message) { message, word in
            let shown = printable(word)
            if shown == word { return message }
            return message.split(separator: word, omittingEmptySubsequences: false).joined(separator: shown)
        }
        return message.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// Ends the process with the exit code that the error stands for.
    private static func end(with error: any Error) -> Never {
        if !exitCode(for: error).isSuccess { Processes.waitForFirst() }
        guard let failure = CommandFailure(error) else { endAsParsed(error) }
        if let message = failure.message { StandardError.report("Error: \(message)") }
        failure.status.end()
    }

    /// Ends with an error of the argument parser, which help and version are too.
    private static func endAsParsed(_ error: any Error) -> Never {
        let code = exitCode(for: error)
        guard code.isSuccess else {
            for line in lines(of: fullMessage(for: error)) { StandardError.report(line) }
            exit(withError: code)
        }
        // Found out only now: other commands need not ask the processor what it can do.
        let text = message(for: error) == Version.number ? Version.text : fullMessage(for: error)
        do {
            let output = StandardOutput()
            try output.write(text + "\n")
            try output.flush()
        } catch {
            end(with: error)
        }
        exit()
    }
}
