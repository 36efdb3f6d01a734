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
              vit duplicates photos.npy --html groups.html
              vit duplicates photos.npy --threshold 0.9 --format csv > groups.csv

            By default, finds copies by their pixels: images that were recompressed, resized or mirrored. With \
            --threshold, the embeddings decide: all images of a group have that cosine similarity with each other, after \
            the mean of all embeddings is subtracted. Groups are sorted by size, largest first. One image per group is \
            marked to keep: the one with the largest file, or the first of equals.
            """)

    @Argument(help: .embeddings)
    var index: String

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Minimum cosine similarity of a group's embeddings, up to 1.", valueName: "s"))
    var threshold: Float?

    @Option(help: ArgumentHelp("Also write a page to look at the groups.", valueName: "groups.html"))
    var html: String?

    @Option(name: .shortAndLong, help: .format)
    var format = SearchFormat.text

    @OptionGroup var threads: ThreadOptions
    @OptionGroup var shared: SharedOptions

    func validate() throws {
        if let threshold, !(threshold > 0 && threshold <= 1) {
            throw ValidationError("--threshold takes a number above 0 and up to 1, such as 0.95, not \(threshold)")
        }
    }

    func run() throws {
        let unfinished = UnfinishedFiles()
        Interruption.watch(removing: unfinished)
        if let html { try OutputFile.checkPlace(html) }
        let search = try EmbeddingSearch(contentsOfFile: index, threads: threads.threads)
        threads.noteShortage(in: search.engine, unless: shared.quiet)
        let found = try duplicates(in: search)
        let output = StandardOutput()
        let writer = MatchWriter(format: format, paths: try search.paths(of: found.groups.flatMap(\.rows)))
        try output.write(writer.groupHead)
        for (index, group) in found.groups.enumerated() {
            try output.write(writer.text(group: group, number: index + 1))
        }
        try output.flush()
        if let html {
            let page = DuplicatesPage(
                title: "Near-duplicates in \(Files.name(of: index))", found, paths: writer.paths, in: search)
            try Files.write(page.html(), to: html, unfinished: unfinished)
        }
        for error in found.unreadable { StandardError.report("Error: \(error)") }
        if !shared.quiet { summary(found, of: search).forEach(StandardError.report) }
        var skipped = SkippedRows()
        found.notFinite.forEach { skipped.append($0) }
        try skipped.finish(index, of: search.count)
        if !found.unreadable.isEmpty { throw CommandFailure(.someInputsFailed) }
    }

    private func duplicates(in search: EmbeddingSearch) throws -> Duplicates {
        var progress: Progress?
        func show(_ done: Int, _ total: Int) {
            if progress == nil { progress = Progress(total: total, isShown: !shared.quiet) }
            progress?.update(done)
        }
        defer { progress?.clear() }
        guard let threshold else { return try search.copies(progress: show) }
        return try search.duplicates(atLeast: threshold) { show($0, search.count) }
    }

    /// What was found, how, and a warning where much of the set would go.
    private func summary(_ found: Duplicates, of search: EmbeddingSearch) -> [String] {
        let (count, spare) = (search.count, found.spareCount)
        let groups = found.groups.count == 1 ? "1 group" : "\(found.groups.count) groups"
        var lines = ["\(groups) among \(count) images; \(spare) of them can be removed"]
        if threshold == nil, let threshold = found.threshold {
            lines.append(
                "\(count - found.comparedByPixels) of the images could not be read; their embeddings were compared, "
                    + "with a threshold of \(fixed(Double(threshold), 4))")
        }
        if spare * 5 > count {
            lines.append(
                "Warning: that is \(spare * 100 / count) % of the images; look at the groups first"
                    + (html == nil ? " (--html groups.html)" : ""))
        }
        return lines
    }
}
