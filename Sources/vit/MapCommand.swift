import ArgumentParser
import Checkpoints
import Compute
import SwiftViT
import Support

struct MapCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "map",
        abstract: "Draw a map of embeddings to look at in a browser.",
        discussion: """
            Examples:
              vit map photos.npy --output map.html
              vit map photos.npy --output map.html --thumbnail-size 96 --thumbnail-megabytes 100

            Pictures that are alike lie together: t-SNE of the cosines, from the principal components. The page holds \
            all that it shows, and needs no network. Points have the colour of their folder.
            """)

    @Argument(help: ArgumentHelp("Vectors, a row a picture: the output of vit embed.", valueName: "index.npy"))
    var index: String

    @Option(name: .shortAndLong, help: ArgumentHelp("The page to write.", valueName: "map.html"))
    var output: String

    @Option(help: ArgumentHelp("The longer side of the pictures in the page; 0: none.", valueName: "pixels"))
    var thumbnailSize = EmbeddingMap.Options().thumbnailSide

    @Option(
        help: ArgumentHelp(
            "What the pictures may take in the page; the more points, the fewer have one.", valueName: "n"))
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
        let map = EmbeddingMap(collection, engine: Engines.make(threads: threads.threads), options: options)
        var progress: Progress?
        let page = try map.page(title: Files.name(of: index)) { done, total in
            if progress == nil { progress = Progress(total: total, isShown: !shared.quiet) }
            progress?.update(done)
        }
        progress?.clear()
        try Files.write(page, to: output, unfinished: unfinished)
    }
}
