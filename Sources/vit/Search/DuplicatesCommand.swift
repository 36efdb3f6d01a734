import ArgumentParser
import Checkpoints
import Compute
import SwiftViT
import Support

struct DuplicatesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "duplicates",
        abstract: "Find groups of pictures that are nearly the same.",
        discussion: """
            Examples:
              vit duplicates photos.npy
              vit duplicates photos.npy --threshold 0.99 --format csv > groups.csv

            Two pictures belong together where the cosine of their vectors reaches the threshold, or where a chain of \
            such pairs joins them. The largest group comes first. Of each group one picture is named to keep: that with \
            the largest file, where the files are still there, and of equals the first.
            """)

    @Argument(help: ArgumentHelp("Vectors, a row a picture: the output of vit embed.", valueName: "index.npy"))
    var index: String

    @Option(name: .shortAndLong, help: ArgumentHelp("How similar two pictures are at least, up to 1.", valueName: "s"))
    var threshold: Float = 0.95

    @Option(name: .shortAndLong, help: "How the results are written.")
    var format = SearchFormat.text

    @OptionGroup var threads: ThreadOptions
    @OptionGroup var shared: SharedOptions

    func validate() throws {
        if !(threshold > 0 && threshold <= 1) {
            throw ValidationError("--threshold takes a number above 0 and up to 1, such as 0.95, not \(threshold)")
        }
    }

    func run() throws {
        Interruption.watch(removing: UnfinishedFiles())
        let collection = try EmbeddingCollection(contentsOfFile: index)
        let paths = try collection.paths()
        let search = CosineSearch(collection.vectors, engine: Engines.make(threads: threads.threads))
        var progress = Progress(total: collection.vectors.rows, isShown: !shared.quiet)
        let groups = NearDuplicates.groups(
            in: search, threshold: threshold, byteCount: { row in paths.flatMap { Files.byteCount(of: $0[row]) } ?? 0 },
            progress: { progress.update($0) })
        progress.clear()
        let named = paths.map { paths in
            Dictionary(uniqueKeysWithValues: groups.flatMap(\.rows).map { ($0, paths[$0]) })
        }
        let output = StandardOutput()
        let writer = MatchWriter(format: format, paths: named ?? [:])
        try output.write(writer.groupHead)
        for (index, group) in groups.enumerated() { try output.write(writer.text(group: group, number: index + 1)) }
        try output.flush()
        if !shared.quiet { StandardError.write(summary(groups, of: collection.vectors.rows)) }
    }

    private func summary(_ groups: [DuplicateGroup], of count: Int) -> String {
        let spare = groups.reduce(0) { $0 + $1.rows.count - 1 }
        let found = groups.count == 1 ? "1 group" : "\(groups.count) groups"
        return "\(found) among \(count) pictures; \(spare) of them could go\n"
    }
}
