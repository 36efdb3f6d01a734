import Foundation
import Imaging
import Support
import TestTools
import Testing

/// `vit embed`.
struct EmbedTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        for number in 0..<7 { try scratch.writeImage("photos/\(number).png", seed: number) }
    }

    private func run(_ arguments: String..., model: String = "hf-vit") throws -> Vit.Outcome {
        try Vit.run(["embed", "--model", model] + arguments, in: scratch)
    }

    private func text(_ name: String) throws -> String { String(decoding: try scratch.read(name), as: UTF8.self) }

    private func lines(_ name: String) throws -> [String] {
        try text(name).split(separator: "\n").map(String.init)
    }

    /// The numbers of an array of float32 and its shape as Python writes it.
    private func array(_ name: String) throws -> (shape: String, values: [Float]) {
        let bytes = try scratch.read(name)
        let header = String(decoding: bytes[10..<128], as: UTF8.self)
        let start = try #require(header.firstRange(of: "'shape': ")).upperBound
        let end = try #require(header.firstIndex(of: ")"))
        let values = stride(from: 128, to: bytes.count, by: 4).map { place in
            Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << (8 * $1) })
        }
        return (String(header[start...end]), values)
    }

    @Test func anArrayAndItsIndex() throws {
        let outcome = try run("photos", "--output", "out.npy")
        #expect(outcome.status == 0 && outcome.errors.isEmpty && outcome.output.isEmpty, "\(outcome.errors)")
        #expect(try scratch.names == ["out.index.csv", "out.npy", "out.settings.json", "photos"])
        let (shape, values) = try array("out.npy")
        #expect(shape == "(7, 16)" && values.count == 7 * 16)
        let index = try lines("out.index.csv")
        #expect(index[0] == "row,path,sha256" && index.count == 8)
        #expect(index[3].hasPrefix("2,photos/2.png,") && index[3].count == "2,photos/2.png,".count + 64)
        // A row is what the image gives alone.
        #expect(try run("photos/2.png", "--output", "one.npy", "--batch-size", "1").status == 0)
        #expect(try array("one.npy").values == Array(values[32..<48]))
        #expect(try run("photos/2.png", "--output", "new/folder/one.npy").status == 0)
        #expect(try array("new/folder/one.npy").values == Array(values[32..<48]))
    }

    @Test func picturesThatFailAreInTheErrorsFile() throws {
        try scratch.write("nonsense, \"quoted\"", to: "photos/3a.png")
        let outcome = try run("photos", "missing.png", "--output", "out.npy")
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("7 of 9 embedded, 2 failed"), "\(outcome.errors)")
        #expect(try array("out.npy").shape == "(7, 16)")
        #expect(try lines("out.index.csv").count == 8)
        let errors = try lines("out.errors.csv")
        #expect(errors.count == 3 && errors[0] == "path,error" && errors[1].hasPrefix("photos/3a.png,"))
        #expect(errors[2].hasPrefix("missing.png,"))
        // They go when all is well again.
        try scratch.writeImage("photos/3a.png")
        #expect(try run("photos", "--output", "out.npy").status == 0)
        #expect(!(try scratch.names.contains("out.errors.csv")))
    }

    @Test(arguments: ["cls", "mean", "cls+mean", "patches"])
    func pooling(_ pool: String) throws {
        #expect(try run("photos", "--output", "out.npy", "--pool", pool).status == 0)
        let shapes = ["cls": "(7, 16)", "mean": "(7, 16)", "cls+mean": "(7, 32)", "patches": "(7, 16, 16)"]
        #expect(try array("out.npy").shape == shapes[pool])
        #expect(try run("photos", "--output", "inner.npy", "--pool", pool, "--layer", "1").status == 0)
        #expect(try array("out.npy").values != array("inner.npy").values)
    }

    @Test func vectorsOfLengthOne() throws {
        #expect(try run("photos", "--output", "out.npy", "--l2").status == 0)
        let values = try array("out.npy").values
        for row in 0..<7 {
            let length = values[row * 16..<(row + 1) * 16].reduce(0) { $0 + $1 * $1 }
            #expect(abs(length - 1) < 1e-5)
        }
    }

    @Test func textFormats() throws {
        #expect(try run("photos", "--output", "out.npy").status == 0)
        let values = try array("out.npy").values
        #expect(try run("photos", "--output", "table.csv").status == 0)
        let table = try lines("table.csv")
        #expect(table[0] == "path,sha256," + (0..<16).map(String.init).joined(separator: ","))
        let fields = table[4].split(separator: ",")
        #expect(fields[0] == "photos/3.png" && fields[1].count == 64)
        #expect(fields.dropFirst(2).compactMap { Float($0) } == Array(values[48..<64]))
        #expect(try run("photos", "--output", "objects.jsonl", "--pool", "patches").status == 0)
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(lines("objects.jsonl")[3].utf8)) as? [String: Any])
        #expect(object["path"] as? String == "photos/3.png")
        #expect((object["embedding"] as? [[Double]])?.map(\.count) == [Int](repeating: 16, count: 16))
        #expect(!(try scratch.names.contains("table.index.csv")))
    }

    @Test func halfPrecision() throws {
        #expect(try run("photos", "--output", "out.npy").status == 0)
        #expect(try run("photos", "--output", "half.npy", "--dtype", "float16").status == 0)
        let values = try array("out.npy").values
        let half = try scratch.read("half.npy")
        #expect(String(decoding: half[10..<128], as: UTF8.self).contains("'<f2'") && half.count == 128 + 7 * 16 * 2)
        let rounded = stride(from: 128, to: half.count, by: 2).map { UInt16(half[$0]) | UInt16(half[$0 + 1]) << 8 }
        #expect(rounded == values.map { Float16($0).bitPattern })
        #expect(try run("photos", "--output", "half.safetensors", "--dtype", "float16").status == 0)
        let tensors = try scratch.read("half.safetensors")
        #expect(String(decoding: tensors[8..<256], as: UTF8.self).contains(#""dtype":"F16","shape":[7,16]"#))
        #expect(Array(tensors[256...]) == Array(half[128...]))
    }

    @Test func shardsFollowEachOther() throws {
        #expect(try run("photos", "--output", "out.npy").status == 0)
        var values: [Float] = []
        for shard in 1...3 {
            #expect(try run("photos", "--output", "part.npy", "--shard", "\(shard)/3").status == 0)
            values += try array("part.npy").values
        }
        #expect(try values == array("out.npy").values)
        #expect(try run("photos", "--output", "part.npy", "--shard", "4/3").status == 64)
        // Of more shards than numbers can be multiplied with, the last one holds the last image.
        let most = "\(Int.max)/\(Int.max)"
        #expect(try run("photos", "--output", "last.npy", "--shard", most).status == 0)
        let last = try array("last.npy").values
        #expect(!last.isEmpty && last.count < values.count && Array(values.suffix(last.count)) == last)
    }

    /// What an interrupted run has left, whole or cut anywhere, goes on to the same bytes.
    @Test func resumeGoesOnFromAnyPoint() throws {
        try scratch.write("nonsense", to: "photos/3a.png")
        #expect(try run("photos", "--output", "whole.npy", "--quiet").status == 1)
        // An image that cannot be read ends this run, and leaves the rows before it.
        let stopped = try run("photos", "--output", "out.npy", "--strict", "--batch-size", "1")
        #expect(stopped.status == 65, "\(stopped.errors)")
        let names = try scratch.names
        #expect(names.contains("out.npy.partial") && !names.contains("out.npy"))
        let (journal, data) = (try scratch.read("out.npy.partial/journal"), try scratch.read("out.npy.partial/data"))
        let torn = Array("+00ff".utf8)
        for (journal, data) in [
            (journal, data), (journal + torn, data + [1, 2, 3]), (journal + Array("=9 9".utf8), data),
            (Array(journal.dropLast(20)), data), (Array(journal.prefix(40)), data), ([], []), (journal, []),
        ] {
            try scratch.write(journal, to: "out.npy.partial/journal")
            try scratch.write(data, to: "out.npy.partial/data")
            let resumed = try run("photos", "--output", "out.npy", "--resume", "--quiet")
            #expect(resumed.status == 1, "\(resumed.errors)")
            for ending in ["npy", "index.csv", "errors.csv", "settings.json"] {
                #expect(try scratch.read("out.\(ending)") == scratch.read("whole.\(ending)"), "\(ending)")
            }
            #expect(!(try scratch.names.contains("out.npy.partial")))
        }
        // Finished: nothing is left to do, and the answer is the same.
        #expect(try run("photos", "--output", "out.npy", "--resume").status == 1)
    }

    /// The process ended between taking its place and writing the index.
    @Test func resumeFinishesTheFilesBesideTheRows() throws {
        #expect(try run("photos", "--output", "whole.npy").status == 0)
        try scratch.write("nonsense", to: "photos/9.png")
        #expect(try run("photos", "--output", "out.npy", "--strict").status == 65)
        let journal = try text("out.npy.partial/journal")
        try FileManager.default.removeItem(atPath: scratch.path("photos/9.png"))
        try FileManager.default.removeItem(atPath: scratch.path("out.npy.partial"))
        // The journal of a run over the seven good images, all of them done.
        #expect(try run("photos", "--output", "out.npy").status == 0)
        let hash = try #require(text("out.settings.json").firstMatch(of: #/"paths_hash": "([0-9a-f]+)"/#)).1
        let settings = journal.prefix { $0 != "\n" }
            .replacing(#""count":8"#, with: #""count":7"#)
            .replacing(#/"paths_hash":"[0-9a-f]+"/#, with: "\"paths_hash\":\"\(hash)\"")
        let entries = journal.drop { $0 != "\n" }
        try scratch.write(
            sealed(String(settings) + String(entries), data: scratch.read("out.npy")), to: "out.npy.partial/journal")
        for name in ["out.index.csv", "out.settings.json"] {
            try FileManager.default.removeItem(atPath: scratch.path(name))
        }
        // Rows that are in their place are not computed again: an image of them is none any more.
        let image = try scratch.read("photos/3.png")
        try scratch.write("nonsense", to: "photos/3.png")
        let resumed = try run("photos", "--output", "out.npy", "--resume")
        #expect(resumed.status == 0, "\(resumed.errors)")
        for ending in ["index.csv", "settings.json"] {
            #expect(try scratch.read("out.\(ending)") == scratch.read("whole.\(ending)"), "\(ending)")
        }
        #expect(try scratch.read("out.npy") == scratch.read("whole.npy"))
        #expect(!(try scratch.names.contains("out.npy.partial")))
        try scratch.write(image, to: "photos/3.png")
        // Other rows are not taken for those of the run.
        try scratch.write(
            sealed(String(settings) + String(entries), data: scratch.read("out.npy")), to: "out.npy.partial/journal")
        try scratch.write(Array(scratch.read("out.npy").dropLast()) + [0x55], to: "out.npy")
        #expect(try run("photos", "--output", "out.npy", "--resume").status == 0)
        #expect(try scratch.read("out.npy") == scratch.read("whole.npy"))
    }

    /// A journal whose commits are those of its lines and of `data`, the head of which takes 128 bytes.
    private func sealed(_ journal: String, data: [UInt8]) -> String {
        var (sealed, block, start) = ("", "", 128)
        for line in journal.split(separator: "\n") {
            guard line.hasPrefix("=") else {
                block += line + "\n"
                continue
            }
            let numbers = line.split(separator: " ").prefix(3).joined(separator: " ") + " "
            let end = Int(numbers.split(separator: " ")[2]) ?? 0
            let digests = [SHA256(of: Array(data[start..<end])), SHA256(of: Array((block + numbers).utf8))]
            sealed += block + numbers + SHA256(of: digests.flatMap(\.bytes)).hex + "\n"
            (block, start) = ("", end)
        }
        return sealed
    }

    /// A journal that counts more images than the run has, or than it has lines for, is none of the run's.
    @Test func resumeTrustsNoWrongCounts() throws {
        try scratch.write("nonsense", to: "photos/9.png")
        #expect(try run("photos", "--output", "whole.npy", "--quiet").status == 1)
        #expect(try run("photos", "--output", "out.npy", "--strict").status == 65)
        let (journal, data) = (try text("out.npy.partial/journal"), try scratch.read("out.npy.partial/data"))
        for counts in ["=70 7 ", "=8 7 ", "=7 6 "] {
            let forged = journal.replacing("\n=7 7 ", with: "\n\(counts)")
            #expect(forged != journal)
            try scratch.write(sealed(forged, data: data), to: "out.npy.partial/journal")
            try scratch.write(data, to: "out.npy.partial/data")
            #expect(try run("photos", "--output", "out.npy", "--resume", "--quiet").status == 1)
            #expect(try scratch.read("out.npy") == scratch.read("whole.npy"), "\(counts)")
            #expect(try scratch.read("out.index.csv") == scratch.read("whole.index.csv"), "\(counts)")
        }
    }

    /// A byte that changed on the disk: what follows the last sound commit is computed again, with a sentence.
    @Test func resumeTrustsNoDamagedRows() throws {
        try scratch.write("nonsense", to: "photos/9.png")
        #expect(try run("photos", "--output", "whole.npy", "--quiet").status == 1)
        #expect(try run("photos", "--output", "out.npy", "--strict", "--batch-size", "1").status == 65)
        let (journal, data) = (try scratch.read("out.npy.partial/journal"), try scratch.read("out.npy.partial/data"))
        let commits = String(decoding: journal, as: UTF8.self).split(separator: "\n").filter { $0.hasPrefix("=") }
        #expect(commits.count > 1 && data.count > 140)
        func flipped(_ bytes: [UInt8], at place: Int) -> [UInt8] {
            var bytes = bytes
            bytes[place] ^= 1
            return bytes
        }
        let digit = try #require(journal.lastIndex(of: UInt8(ascii: "+"))) + 5
        let old = Array(
            String(decoding: journal, as: UTF8.self).replacing(#/(=\d+ \d+ \d+) \w+/#) { "\($0.1)" }.utf8)
        for (journal, data) in [
            (journal, flipped(data, at: 130)), (journal, flipped(data, at: data.count - 1)),
            (journal, Array(data.dropLast())), (flipped(journal, at: digit), data),
            (flipped(journal, at: journal.count - 2), data), (old, data),
        ] {
            try scratch.write(journal, to: "out.npy.partial/journal")
            try scratch.write(data, to: "out.npy.partial/data")
            let resumed = try run("photos", "--output", "out.npy", "--resume", "--quiet")
            #expect(resumed.status == 1 && resumed.errors.contains("is computed again"), "\(resumed.errors)")
            for ending in ["npy", "index.csv", "errors.csv", "settings.json"] {
                #expect(try scratch.read("out.\(ending)") == scratch.read("whole.\(ending)"), "\(ending)")
            }
        }
        // Undamaged, nothing is said.
        try scratch.write(journal, to: "out.npy.partial/journal")
        try scratch.write(data, to: "out.npy.partial/data")
        let resumed = try run("photos", "--output", "out.npy", "--resume", "--quiet")
        #expect(resumed.status == 1 && !resumed.errors.contains("computed again"), "\(resumed.errors)")
    }

    /// What ended a strict run may be mended before it goes on.
    @Test func resumeLooksAgainAtTheImageThatEndedTheRun() throws {
        try scratch.write("nonsense", to: "photos/5a.png")
        #expect(try run("photos", "--output", "out.npy", "--strict").status == 65)
        try scratch.writeImage("photos/5a.png", seed: 50)
        #expect(try run("photos", "--output", "out.npy", "--resume").status == 0)
        #expect(try array("out.npy").shape == "(8, 16)")
        #expect(!(try scratch.names.contains("out.errors.csv")))
    }

    @Test func resumeWithOtherSettingsIsRefused() throws {
        try scratch.write("nonsense", to: "photos/9.png")
        #expect(try run("photos", "--output", "out.npy", "--strict").status == 65)
        for (arguments, complaint) in [
            (["--pool", "mean"], "another --pool"), (["--dtype", "float16"], "another --dtype"),
            (["--l2"], "another --l2"), (["--interpolation", "nearest"], "another preprocessing"),
            (["--shard", "1/2"], "another list of images"),
        ] {
            let outcome = try Vit.run(
                ["embed", "photos", "--model", "hf-vit", "--output", "out.npy", "--resume"] + arguments, in: scratch)
            #expect(outcome.status == 64 && outcome.errors.contains(complaint), "\(outcome.errors)")
        }
        let model = try run("photos", "--output", "out.npy", "--resume", "--image-size", "16", model: "timm-hub")
        #expect(model.status == 64, "\(model.errors)")
        // Without --resume, a run begins anew.
        #expect(try run("photos", "--output", "out.npy", "--pool", "mean").status == 1)
    }

    @Test func updateComputesOnlyWhatChanged() throws {
        #expect(try run("photos", "--output", "out.npy").status == 0)
        // Rows that are taken over show themselves by their numbers.
        var bytes = try scratch.read("out.npy")
        for place in 128..<bytes.count { bytes[place] = place % 4 == 3 ? 0x3F : 0 }
        try scratch.write(bytes, to: "out.npy")
        try scratch.writeImage("photos/4.png", seed: 40)
        try FileManager.default.moveItem(atPath: scratch.path("photos/0.png"), toPath: scratch.path("photos/8.png"))
        #expect(try run("photos", "--output", "out.npy", "--update").status == 0)
        let values = try array("out.npy").values
        #expect(try run("photos", "--output", "new.npy").status == 0)
        let fresh = try array("new.npy").values
        for row in 0..<7 {
            let expected = row == 3 ? Array(fresh[48..<64]) : [Float](repeating: 0.5, count: 16)
            #expect(Array(values[row * 16..<(row + 1) * 16]) == expected, "row \(row)")
        }
        #expect(try scratch.read("out.index.csv") == scratch.read("new.index.csv"))
        let other = try run("photos", "--output", "out.npy", "--update", "--pool", "mean")
        #expect(other.status == 64 && other.errors.contains("another --pool"), "\(other.errors)")
        #expect(try run("photos", "--output", "out.csv", "--update").status == 64)
    }

    @Test func fastDecodingIsRemembered() throws {
        try scratch.writePhoto("photos/large.jpg", width: 640, height: 480)
        #expect(try run("photos", "--output", "out.npy").status == 0)
        #expect(try run("photos", "--output", "fast.npy", "--fast-decode").status == 0)
        let (values, fast) = (try array("out.npy").values, try array("fast.npy").values)
        #expect(values.dropLast(16) == fast.dropLast(16) && values.suffix(16) != fast.suffix(16))
        #expect(isClose(values, fast, within: 0.1))
        let update = try run("photos", "--output", "fast.npy", "--update")
        #expect(update.status == 64 && update.errors.contains("another --fast-decode"), "\(update.errors)")
        #expect(try run("photos", "--output", "fast.npy", "--update", "--fast-decode").status == 0)
    }

    @Test func usage() throws {
        for arguments in [
            ["photos"], ["--output", "out.npy"], ["photos", "--output", "out.parquet"], ["photos", "--output", "out"],
            ["photos", "--output", "out.npy", "--pool", "max"], ["photos", "--output", "out.npy", "--layer", "3"],
            ["photos", "--output", "out.csv", "--pool", "patches"],
            ["photos", "--output", "out.npy", "--shard", "0/2"],
        ] {
            let outcome = try Vit.run(["embed", "--model", "hf-vit"] + arguments, in: scratch)
            #expect(outcome.status == 64, "\(arguments): \(outcome.errors)")
        }
        // A folder is made; a file is none.
        #expect(try run("photos", "--output", "new/folder/out.npy").status == 0)
        #expect(try scratch.names.contains("new"))
        try FileManager.default.removeItem(atPath: scratch.path("new"))
        try FileManager.default.createDirectory(atPath: scratch.path("d.npy"), withIntermediateDirectories: true)
        #expect(try run("photos", "--output", "d.npy").status == 73)
        #expect(try run("nowhere", "--output", "out.npy").status == 66)
        try scratch.write("nonsense", to: "bad.png")
        #expect(try run("bad.png", "--output", "out.npy").status == 65)
        #expect(try run("photos", "--output", "bad.png/out.npy").status == 73)
        #expect(try scratch.names == ["bad.png", "d.npy", "photos"])
    }

    /// The settings record the precision: rows of two are never mixed, and queries are embedded like the rows.
    @Test func precisionIsRecorded() throws {
        try scratch.writeImage("photos/a.png", seed: 1)
        try scratch.writeImage("photos/b.png", seed: 2)
        #expect(try run("photos", "--output", "int8.npy", "--precision", "int8").status == 0)
        #expect(try text("int8.settings.json").contains("\"precision\": \"int8\""))
        let update = try run("photos", "--output", "int8.npy", "--update")
        #expect(update.status == 64 && update.errors.contains("another --precision"), "\(update.errors)")
        let search = try Vit.run(["search", "int8.npy", "photos/b.png", "-k", "1", "--format", "csv"], in: scratch)
        #expect(search.status == 0 && search.output.contains("b.png,1,"), "\(search.output) \(search.errors)")
    }
}
