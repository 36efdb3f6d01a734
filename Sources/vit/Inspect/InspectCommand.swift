import ArgumentParser
import Datasets
import Models
import Support
import SwiftViT

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Describe a checkpoint: layout, model, preprocessing and tensors.",
        discussion: """
            Examples:
              vit inspect charts-vit-tiny
              vit inspect pytorch_model.bin --format json
              vit inspect charts-vit-tiny --images photos/ --output layers.html

            With --images, the encoder runs over the images, and a page shows the attention distance of its heads and the \
            similarity of its layers (Raghu et al. 2021). --format json prints these numbers too.
            """)

    @Argument(help: .model)
    var model: String

    @Option(name: .shortAndLong, help: .format)
    var format = ResultFormat.text

    @Option(help: ArgumentHelp("Images to analyse the layers with: files, a directory, or @FILE.", valueName: "path"))
    var images: [String] = []

    @Option(name: .shortAndLong, help: ArgumentHelp("HTML page to write; requires --images.", valueName: "layers.html"))
    var output: String?

    @OptionGroup var source: WeightsOptions
    @OptionGroup var inference: InferenceOptions

    func validate() throws {
        if images.isEmpty != (output == nil) { throw ValidationError("--images and --output go together; give both.") }
    }

    func run() throws {
        let unfinished = UnfinishedFiles()
        Interruption.watch(removing: unfinished)
        let checkpoint = try ModelLocation.open(model, weights: source, isQuiet: inference.shared.quiet)
        guard let output else { return try describe(checkpoint, nil) }
        try OutputFile.checkPlace(output)
        var failures = 0
        let inputs = try InputPaths(expanding: images).inputs
        let statistics = try LayerStatistics(
            checkpoint, overrides: inference.preprocessing.overrides, inputs: inputs,
            decoding: inference.images.decoding,
            threads: inference.threads.threads, note: { if !inference.shared.quiet { StandardError.report($0) } }
        ) { error in
            failures += 1
            if inference.images.strict || inputs.count == 1 { throw error }
            StandardError.report("Error: \(error)")
        }
        guard statistics.imageCount > 0 else {
            throw CommandFailure(.malformedData, "\(images[0]): none of the images could be read")
        }
        let page = LayerReport(statistics, title: Files.name(of: model)).html
        try Files.write(page, to: output, unfinished: unfinished)
        if format == .json { try describe(checkpoint, statistics) }
        if failures > 0 {
            StandardError.report("\(statistics.imageCount) of \(inputs.count) analysed, \(failures) failed")
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
    /// The numbers as JSON.
    fileprivate var json: JSON {
        .object([
            JSON.Member("pictures", .integer(imageCount)),
            JSON.Member(
                "mean_attention_distance", .array(meanDistances.map { .array($0.map { .number($0) }) })),
            JSON.Member("cka", similarities.map { .array($0.map { .number($0) }) } ?? .null),
        ])
    }
}
