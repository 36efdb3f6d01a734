import Foundation
import Support
import Testing

/// Names that are not UTF-8: read by their bytes, and written `\xHH`.
struct FileNameCommandTests {
    private let scratch: Scratch

    /// A folder with three files: two names that are not UTF-8, and one that looks like what is written for one of them.
    init() throws {
        scratch = try Scratch()
        try Files.makeDirectory(scratch.path("photos"))
        for (seed, name) in ["\\xE8", "\\xE9", "\\x5CxE9"].enumerated() {
            try scratch.writeImage("\(seed).png", seed: seed)
            try Files.move(scratch.path("\(seed).png"), to: scratch.path("photos") + "/\(name).png")
        }
    }

    /// Runs a line of a shell that may give `vit` arguments which are not UTF-8.
    private func shell(_ line: String) throws -> Vit.Outcome {
        try Vit.Run(
            ["-c", "b=$(printf '\\351'); " + line, Vit.executable.path], in: scratch,
            executable: URL(fileURLWithPath: "/bin/sh")
        ).wait()
    }

    private let paths = ["photos/\\x5CxE9.png", "photos/\\xE8.png", "photos/\\xE9.png"]

    @Test func folderListsAndArgumentsAreRead() throws {
        defer { Files.discard(scratch.url.path) }
        let whole = try shell("\"$0\" classify photos --model hf-vit --format jsonl")
        #expect(whole.status == 0, "\(whole.errors)")
        let objects = try whole.objects()
        #expect(objects.map { $0["path"] as? String } == paths)
        #expect(Set(objects.compactMap { $0["predictions"] as? NSArray }).count == 3)
        // By bytes, by what is written for them, and from a list: each time the same files.
        try scratch.write(
            Array("photos/".utf8) + [0xE9] + Array(".png\nphotos/\\xE9.png\nphotos/\\xE8.png\n".utf8), to: "list")
        for arguments in ["photos/$b.png 'photos/\\xE9.png' 'photos/\\xE8.png'", "@list"] {
            let named = try shell("\"$0\" classify \(arguments) --model hf-vit --format jsonl")
            #expect(named.status == 0, "\(named.errors)")
            #expect(Set(named.lines) == Set(whole.lines) && named.lines[0] == whole.lines[2])
        }
        let missing = try shell("\"$0\" classify $b$b.png --model hf-vit")
        #expect(
            missing.status == 66 && missing.errors.hasPrefix("Error: \\xE9\\xE9.png: no such file"), "\(missing.errors)"
        )
    }

    @Test func indexesAreWrittenResumedAndSearched() throws {
        defer { Files.discard(scratch.url.path) }
        let embed = "\"$0\" embed photos --model hf-vit --output $b/$b.npy --quiet"
        let embedded = try shell("\(embed) && \(embed) --resume && \(embed) --update")
        #expect(embedded.status == 0, "\(embedded.errors)")
        let folder = scratch.path("") + "/\\xE9"
        #expect(try Files.names(in: folder) == ["\\xE9.index.csv", "\\xE9.npy", "\\xE9.settings.json"])
        let index = String(decoding: try Files.bytes(of: folder + "/\\xE9.index.csv"), as: UTF8.self)
        #expect(
            index.split(separator: "\n").dropFirst().map { $0.split(separator: ",")[1] } == paths.map { Substring($0) })
        // A query by file leaves itself out, and itself alone.
        for (query, path) in [("photos/$b.png", paths[2]), ("'photos/\\xE9.png'", paths[0])] {
            let found = try shell("\"$0\" search $b/$b.npy \(query) --model hf-vit --format csv")
            #expect(found.status == 0 && found.lines.count == 3, "\(found.errors)")
            #expect(found.lines.dropFirst().allSatisfy { $0.hasPrefix(path + ",") })
            #expect(found.lines.count { $0.contains("," + path + ",") } == 0, "\(found.output)")
        }
        let map = try shell("\"$0\" map $b/$b.npy --output map.html --thumbnail-size 8")
        #expect(map.status == 0 && !map.errors.contains("missing"), "\(map.errors)")
    }

    @Test func classesAndTablesMayHaveSuchNames() throws {
        defer { Files.discard(scratch.url.path) }
        for (seed, name) in ["\\xE9", "\\x5CxE9"].enumerated() {
            for part in ["train", "val"] {
                try Files.makeDirectory(scratch.path("data") + "/\(part)/\(name)")
                for number in 0..<3 {
                    try scratch.writeImage("x.png", seed: seed * 10 + number)
                    try Files.move(
                        scratch.path("x.png"), to: scratch.path("data") + "/\(part)/\(name)/\(number)\\xFF.png")
                }
            }
        }
        let trained = try shell("\"$0\" finetune data --init hf-vit --output $b --epochs 1 --batch-size 2 --quiet")
        #expect(trained.status == 0, "\(trained.errors)")
        let evaluated = try shell("\"$0\" evaluate data --model $b --predictions p.csv --quiet")
        #expect(evaluated.status == 0, "\(evaluated.errors)")
        let predictions = String(decoding: try scratch.read("p.csv"), as: UTF8.self).split(separator: "\n").dropFirst()
        #expect(
            predictions.map { $0.split(separator: ",")[1] } == [
                "\\x5CxE9", "\\x5CxE9", "\\x5CxE9", "\\xE9", "\\xE9", "\\xE9",
            ])
        // Lines of a class by its bytes, and of another that looks like it.
        var table = Array("path,label\n".utf8)
        for number in 0..<3 {
            for (folder, label) in [([0xE9], "a"), (Array("\\xE9".utf8), "b")] {
                table += Array("data/train/".utf8) + folder + Array("/\(number)".utf8) + [0xFF]
                table += Array(".png,\(label)\n".utf8)
            }
        }
        try scratch.write(table, to: "table.csv")
        let probed = try shell(
            "\"$0\" probe table.csv --model hf-vit --method knn --k 1 --validation-fraction 0.5 --quiet")
        #expect(probed.status == 0, "\(probed.errors)")
    }
}
