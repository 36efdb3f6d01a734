import Foundation
import TestTools
import Testing

/// Every command that reads images, given an archive.
struct ArchiveCommandTests {
    private let scratch: Scratch
    private let shape = [
        "--image-size", "16", "--patch-size", "4", "--width", "16", "--depth", "1", "--heads", "2", "--batch-size", "4",
        "--steps", "5", "--quiet",
    ]

    init() throws {
        scratch = try Scratch()
        var writer = TarWriter()
        for seed in 0..<16 {
            let name = "\(seed % 2 == 0 ? "cat" : "dog")/\(seed).png"
            try scratch.writeImage("data/\(name)", seed: seed)
            writer.add("data/\(name)", try scratch.read("data/\(name)"))
        }
        try scratch.write(writer.whole, to: "data.tar")
    }

    private func run(_ arguments: String...) throws -> Vit.Outcome { try Vit.run(arguments, in: scratch) }

    private func text(_ name: String) throws -> String { String(decoding: try scratch.read(name), as: UTF8.self) }

    /// Where a member's path stands for that of a file, everything else is the same.
    private func asFolder(_ text: String) -> String { text.replacing("data.tar/data/", with: "data/") }

    @Test func classifyAndEmbed() throws {
        for format in ["text", "jsonl", "csv"] {
            let disk = try run("classify", "data", "--model", "hf-vit", "--format", format)
            let packed = try run("classify", "data.tar", "--model", "hf-vit", "--format", format)
            #expect(packed.status == 0 && packed.output.contains("data.tar/data/cat/0.png"))
            #expect(asFolder(packed.output) == disk.output && packed.errors == disk.errors)
        }
        #expect(try run("embed", "data", "--model", "hf-vit", "--output", "disk.npy").status == 0)
        #expect(try run("embed", "data.tar", "--model", "hf-vit", "--output", "tar.npy").status == 0)
        #expect(try scratch.read("tar.npy") == scratch.read("disk.npy"))
        #expect(asFolder(try text("tar.index.csv")) == (try text("disk.index.csv")))
    }

    /// What reads the index of an array finds the images in the archive.
    @Test func whatReadsAnIndex() throws {
        try scratch.write(try scratch.read("data/cat/0.png"), to: "data/dog/copy.png")
        var writer = TarWriter()
        for name in ["cat/0.png", "cat/2.png", "dog/1.png", "dog/copy.png"] {
            writer.add(name, try scratch.read("data/\(name)"))
        }
        try scratch.write(writer.whole, to: "few.tar")
        #expect(try run("embed", "few.tar", "--model", "hf-vit", "--output", "few.npy").status == 0)
        let copies = try run("duplicates", "few.npy", "--html", "copies.html")
        #expect(copies.status == 0 && !copies.errors.contains("could not be read"), "\(copies.errors)")
        #expect(copies.output.contains("few.tar/cat/0.png") && copies.output.contains("few.tar/dog/copy.png"))
        #expect(try text("copies.html").contains("data:image/jpeg"))
        let map = try run("map", "few.npy", "--output", "map.html")
        #expect(map.status == 0 && !map.errors.contains("cannot be read"), "\(map.errors)")
        // A query that is a row of the index is no match of itself.
        let search = try run("search", "few.npy", "few.tar/dog/1.png", "--model", "hf-vit", "--format", "csv")
        #expect(search.status == 0 && search.lines.count == 4, "\(search.errors)")
        #expect(!search.lines.dropFirst().contains { $0.contains(",2,few.tar/dog/1.png") })
    }

    @Test func drawings() throws {
        #expect(try run("attention", "data.tar/data/cat", "--model", "hf-vit", "--output", "maps").status == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path("maps")).count == 8)
        #expect(try run("reconstruct", "data.tar", "--model", "hf-mae", "--output", "pictures").status == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path("pictures")).count == 16)
    }

    @Test func badMembers() throws {
        var writer = TarWriter()
        let image = try scratch.read("data/cat/0.png")
        writer.add("a.png", image)
        writer.add("b.png", Array(image.prefix(image.count - 30)))
        writer.add("c.png", image, type: "S", mark: "ustar  \u{0}")
        writer.add("d.png", image)
        try scratch.write(writer.whole, to: "bad.tar")
        let outcome = try run("embed", "bad.tar", "--model", "hf-vit", "--output", "bad.npy")
        #expect(outcome.status == 1 && outcome.errors.contains("2 of 4 embedded, 2 failed"), "\(outcome.errors)")
        #expect(outcome.errors.contains("bad.tar/c.png: cannot be read: it is a sparse member"))
        let errors = try text("bad.errors.csv")
        #expect(errors.contains("bad.tar/b.png,") && errors.contains("bad.tar/c.png,"))
        let lenient = try run("embed", "bad.tar", "--model", "hf-vit", "--output", "bad.npy", "--lenient")
        #expect(lenient.status == 1 && lenient.errors.contains("Warning: bad.tar/b.png:"), "\(lenient.errors)")
        let strict = try run("embed", "bad.tar", "--model", "hf-vit", "--output", "strict.npy", "--strict")
        #expect(strict.status == 65 && strict.errors.contains("bad.tar/b.png"))
        try scratch.write(Array(writer.whole.prefix(1500)), to: "cut.tar")
        let cut = try run("classify", "cut.tar", "--model", "hf-vit")
        #expect(cut.errors.contains("cut.tar: ends at byte 1500 within"), "\(cut.errors)")
        #expect(try run("finetune", "cut.tar", "--output", "run").status == 65)
    }

    @Test func anInterruptedRunGoesOn() throws {
        #expect(try run("embed", "data.tar", "--model", "hf-vit", "--output", "a.npy").status == 0)
        guard Strace.isUsable else { return }
        let arguments = [
            "embed", "data.tar", "--model", "hf-vit", "--output", "b.npy", "--batch-size", "2", "--resume",
        ]
        _ = try Strace.run(arguments, killedAt: "pwrite64", number: 3, in: scratch)
        #expect(try Vit.run(arguments, in: scratch).status == 0)
        #expect(try scratch.read("a.npy") == scratch.read("b.npy"))
        #expect(try text("a.index.csv") == text("b.index.csv"))
    }

    @Test(arguments: ["pretrain", "finetune"]) func trainingGivesTheSameBits(command: String) throws {
        for (data, output) in [("data", "disk"), ("data.tar", "tar")] {
            let outcome = try Vit.run(
                [command, data, "--output", output, "--validation-fraction", "0.3"] + shape, in: scratch)
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
        let weights = try scratch.read("disk/model/model.safetensors")
        #expect(try scratch.read("tar/model/model.safetensors") == weights)
        guard command == "finetune" else { return }
        let disk = try run("evaluate", "data", "--model", "disk/model", "--format", "json", "--split", "val")
        let packed = try run("evaluate", "data.tar", "--model", "tar/model", "--format", "json", "--split", "val")
        #expect(packed.status == 0 && packed.output.contains("accuracy") == disk.output.contains("accuracy"))
        let probe = try run(
            "probe", "data.tar", "--model", "tar/model", "--method", "knn", "--validation-fraction", "0.3")
        #expect(probe.status == 0, "\(probe.errors)")
    }

    /// What has changed since a run began is noticed in an archive as well.
    @Test func aChangedArchiveIsRefused() throws {
        let arguments = ["pretrain", "data.tar", "--output", "run"] + shape
        #expect(try Vit.run(arguments, in: scratch).status == 0)
        try scratch.write(try scratch.read("data.tar") + [UInt8](repeating: 0, count: 512), to: "data.tar")
        let outcome = try Vit.run(arguments + ["--resume"], in: scratch)
        #expect(
            outcome.status == 65 && outcome.errors.contains("data.tar: has files that were changed"),
            "\(outcome.errors)")
    }

    @Test func shards() throws {
        for (shard, half) in [(0, 0..<8), (1, 8..<16)] {
            var writer = TarWriter()
            for seed in half {
                let name = "\(seed % 2 == 0 ? "cat" : "dog")/\(seed).png"
                writer.add(name, try scratch.read("data/\(name)"))
            }
            try scratch.write(writer.whole, to: "shards/s-0\(shard).tar")
        }
        try scratch.write("shards/s-{00..01}.tar\n", to: "list.txt")
        for data in ["shards/s-{00..01}.tar", "shards", "@list.txt"] {
            let outcome = try Vit.run(["finetune", data, "--output", "run-\(data.count)"] + shape, in: scratch)
            #expect(outcome.status == 0, "\(outcome.errors)")
            let classified = try run("classify", data, "--model", "hf-vit", "--format", "csv", "--top-k", "1")
            #expect(classified.status == 0 && classified.lines.count == 17)
        }
        let weights = try scratch.read("run-21/model/model.safetensors")
        #expect(try scratch.read("run-6/model/model.safetensors") == weights)
        #expect(try scratch.read("run-9/model/model.safetensors") == weights)
    }
}
