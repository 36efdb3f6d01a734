import ArgumentParser
import Checkpoints
import Datasets
import SwiftViT
import Support

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Say what is in a checkpoint: layout, model, preprocessing, every tensor.",
        discussion: """
            Examples:
              vit inspect charts-vit-tiny
              vit inspect pytorch_model.bin --format json
              vit inspect charts-vit-tiny --images photos/ --output layers.html

            With --images, the encoder sees the pictures, and a page tells how far its heads look and how similar its \
            layers are (Raghu et al. 2021); --format json tells the numbers too.
            """)

    /// How the description is written.
    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    @Argument(help: "A directory, a weights file, or the name of a folder under checkpoints/.")
    var model: String

    @Option(name: .shortAndLong, help: "How the description is written.")
    var format = Format.text

    @Option(help: ArgumentHelp("Pictures to show to the model: files, a directory, or @FILE.", valueName: "path"))
    var images: [String] = []

    @Option(name: .shortAndLong, help: ArgumentHelp("The page to write, with --images.", valueName: "layers.html"))
    var output: String?

    @OptionGroup(title: "Preprocessing of the pictures, where it shall differ from the checkpoint's")
    var preprocessing: PreprocessingOptions

    @OptionGroup var imageOptions: ImageOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var shared: SharedOptions

    func validate() throws {
        if images.isEmpty != (output == nil) { throw ValidationError("--images and --output go together; give both.") }
    }

    func run() throws {
        let unfinished = UnfinishedFiles()
        Interruption.watch(removing: unfinished)
        let checkpoint = try Checkpoint.open(ModelLocation.find(model))
        guard let output else { return try describe(checkpoint, nil) }
        try OutputFile.checkPlace(output)
        var failures = 0
        let inputs = try InputPaths(expanding: images).inputs
        let statistics = try LayerStatistics(
            checkpoint, overrides: preprocessing.overrides, inputs: inputs, decoding: imageOptions.decoding,
            threads: threads.threads
        ) { error in
            failures += 1
            if imageOptions.strict || inputs.count == 1 { throw error }
            StandardError.write("Error: \(error)\n")
        }
        guard statistics.pictureCount > 0 else {
            throw CommandFailure(.malformedData, "\(images[0]): none of the pictures could be read")
        }
        let page = LayerReport(statistics, title: Files.name(of: model)).html
        try Files.write(page, to: output, unfinished: unfinished)
        if format == .json { try describe(checkpoint, statistics) }
        if failures > 0 {
            StandardError.write("\(statistics.pictureCount) of \(inputs.count) seen, \(failures) failed\n")
            throw CommandFailure(.someInputsFailed)
        }
    }

    private func describe(_ checkpoint: Checkpoint, _ statistics: LayerStatistics?) throws {
        let output = StandardOutput()
        switch format {
        case .text: try output.write(InspectText(checkpoint).text)
        case .json:
            let more = statistics.map { $0.json.members ?? [] } ?? []
            try output.write(JSON.object((checkpoint.json.members ?? []) + more).text() + "\n")
        }
        try output.flush()
    }
}

extension LayerStatistics {
    /// The numbers, for programs.
    fileprivate var json: JSON {
        .object([
            JSON.Member("pictures", .integer(pictureCount)),
            JSON.Member(
                "mean_attention_distance", .array(meanDistances.map { .array($0.map { .number($0) }) })),
            JSON.Member("cka", similarities.map { .array($0.map { .number($0) }) } ?? .null),
        ])
    }
}
