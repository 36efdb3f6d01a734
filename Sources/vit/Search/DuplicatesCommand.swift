import ArgumentParser
import Models
import Support
import SwiftViT

struct DuplicatesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "duplicates",
        abstract: "Find groups of near-duplicate images.",
        discussion: """
            Examples:
              vit duplicates photos.npy
              vit duplicates photos.npy --threshold 0.99 --format csv > groups.csv

            Two images belong to the same group if the cosine similarity of their embeddings reaches the threshold, or \
            if a chain of such pairs connects them. Groups are sorted by size, largest first. One image per group is \
            marked to keep: the one with the largest file, or the first of equals.
            """)

    @Argument(help: .embeddings)
    var index: String

    @Option(name: .shortAndLong, help: ArgumentHelp("Minimum cosine similarity, up to 1.", valueName: "s"))
    var threshold: Float = 0.95

    @Option(name: .shortAndLong, help: .format)
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
        let search = try EmbeddingSearch(contentsOfFile: index, threads: threads.threads)
        var progress = Progress(total: search.count, isShown: !shared.quiet)
        var skipped = SkippedRows()
        let groups = try search.duplicates(
            atLeast: threshold, progress: { progress.update($0) }, skipped: { skipped.append($0) })
        progress.clear()
        let output = StandardOutput()
        let writer = MatchWriter(format: format, paths: try search.paths(of: groups.flatMap(\.rows)))
        try output.write(writer.groupHead)
        for (index, group) in groups.enumerated() { try output.write(writer.text(group: group, number: index + 1)) }
        try output.flush()
        if !shared.quiet { StandardError.write(summary(groups, of: search.count)) }
        try skipped.finish(self.index, of: search.count)
    }

    private func summary(_ groups: [DuplicateGroup], of count: Int) -> String {
        let spare = groups.reduce(0) { $0 + $1.rows.count - 1 }
        let found = groups.count == 1 ? "1 group" : "\(groups.count) groups"
        return "\(found) among \(count) images; \(spare) of them can be removed\n"
    }
}
