import ArgumentParser
import Compute
import Models
import Support
import SwiftViT

struct MapCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "map",
        abstract: "Draw a 2-D map of embeddings as an HTML page.",
        discussion: """
            Examples:
              vit map photos.npy --output map.html
              vit map photos.npy --output map.html --thumbnail-size 96

            Similar images are placed close together, by t-SNE of the cosine similarities, initialised with PCA. The page \
            is self-contained and opens without a network. Points are coloured by folder; where there is room, the images \
            take their places. Drag with Shift to select images and save their paths, as a list that other commands take \
            as @selection.txt.
            """)

    @Argument(help: .embeddings)
    var index: String

    @Option(name: .shortAndLong, help: ArgumentHelp("HTML page to write.", valueName: "map.html"))
    var output: String

    @Option(help: ArgumentHelp("Longer side of the thumbnails; 0 for none.", valueName: "pixels"))
    var thumbnailSize = EmbeddingMap.Options().thumbnailSide

    @Option(
        help: ArgumentHelp(
            "Maximum total size of the thumbnails; with more points, fewer have one.", valueName: "n"))
    var thumbnailMegabytes = EmbeddingMap.Options().thumbnailBytes >> 20

    @OptionGroup var threads: ThreadOptions
    @OptionGroup var shared: SharedOptions

    func validate() throws {
        if !(0...1024).contains(thumbnailSize) {
            throw ValidationError("--thumbnail-size takes a number from 0 to 1024, not \(thumbnailSize)")
        }
        if !(1...4096).contains(thumbnailMegabytes) {
            throw ValidationError("--thumbnail-megabytes takes a number from 1 to 4096, not \(thumbnailMegabytes)")
        }
    }

    func run() throws {
        let unfinished = UnfinishedFiles()
        Interruption.watch(removing: unfinished)
        try OutputFile.checkPlace(output)
        let collection = try EmbeddingCollection(contentsOfFile: index)
        var options = EmbeddingMap.Options()
        options.thumbnailSide = thumbnailSize
        options.thumbnailBytes = thumbnailMegabytes << 20
        let engine = Engines.make(threads: threads.threads)
        threads.noteShortage(in: engine, unless: shared.quiet)
        let map = EmbeddingMap(collection, engine: engine, options: options)
        var progress: Progress?
        var skipped = SkippedRows()
        var missing: [String] = []
        let page = try map.page(
            title: Files.name(of: index),
            progress: { done, total in
                if progress == nil { progress = Progress(total: total, isShown: !shared.quiet) }
                progress?.update(done)
            }, skipped: { skipped.append($0) }, missing: { missing = $0 })
        progress?.clear()
        if let first = missing.first, !shared.quiet {
            StandardError.report(
                "\(index): \(counted(missing.count, "image")) cannot be read and have no thumbnail, such as \(first); "
                    + "relative paths begin where vit embed ran")
        }
        try Files.write(page, to: output, unfinished: unfinished)
        try skipped.finish(index, of: collection.vectors.rows)
    }
}
