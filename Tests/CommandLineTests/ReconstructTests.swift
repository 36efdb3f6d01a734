import Foundation
import Imaging
import Testing

/// `vit reconstruct`.
struct ReconstructTests {
    private let scratch: Scratch
    private let model = Fixtures.checkpoint("hf-mae/model.safetensors")

    init() throws {
        scratch = try Scratch()
        for number in 0..<3 { try scratch.writeImage("\(number).png", seed: number) }
    }

    private func run(_ arguments: String..., input: [UInt8] = []) throws -> Vit.Outcome {
        try Vit.run(["reconstruct", "--model", model] + arguments, in: scratch, input: input)
    }

    /// Writes a NumPy file of float32.
    private func write(_ rows: [[Float]], to name: String) throws {
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows.count), \(rows.first?.count ?? 0)), }"
        let values = rows.joined().flatMap { value in (0..<4).map { UInt8(value.bitPattern >> (8 * $0) & 0xFF) } }
        try scratch.write(
            [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8) + values, to: name)
    }

    @Test func anImageForEachInput() throws {
        let outcome = try run("0.png", "1.png", "2.png", "--output", "out/deep")
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        #expect(outcome.lines.count == 3)
        #expect(outcome.lines[1].hasPrefix("1.png  loss ") && outcome.lines[1].hasSuffix("out/deep/1.png"))
        #expect(outcome.lines[1].contains("4 of 16 patches kept"))
        let images = try (0..<3).map { try Image(contentsOfFile: scratch.path("out/deep/\($0).png")) }
        #expect(images.allSatisfy { $0.width == 4 * 192 + 40 && $0.height > 192 })
        #expect(images[0] != images[1])
        #expect(try scratch.names == ["0.png", "1.png", "2.png", "out"])
    }

    @Test func namesThatComeAgainAreNumbered() throws {
        try scratch.writeImage("a/x.png", seed: 4)
        try scratch.writeImage("b/x.png", seed: 5)
        let bytes = try scratch.read("0.png")
        let outcome = try run("a", "b", "-", "--output", "out", input: bytes)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let names = try FileManager.default.contentsOfDirectory(atPath: scratch.path("out")).sorted()
        #expect(names == ["standard-input.png", "x-2.png", "x.png"])
    }

    @Test func theMaskRatioOfTheCheckpointIsTaken() throws {
        try scratch.copyCheckpoint("hf-mae")
        let text = String(decoding: try scratch.read("hf-mae/config.json"), as: UTF8.self)
        try scratch.write(text.replacing(#""mask_ratio": 0.0"#, with: #""mask_ratio": 0.6"#), to: "hf-mae/config.json")
        let arguments = ["reconstruct", "0.png", "--model", scratch.path("hf-mae"), "--output", "out"]
        let stated = try Vit.run(arguments, in: scratch)
        #expect(stated.status == 0 && stated.output.contains("6 of 16 patches kept"), "\(stated.errors)")
        let asked = try Vit.run(arguments + ["--mask-ratio", "0.5"], in: scratch)
        #expect(asked.status == 0 && asked.output.contains("8 of 16 patches kept"), "\(asked.errors)")
    }

    @Test func oneFile() throws {
        let outcome = try run("0.png", "--output", "one.png", "--format", "json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let object = try #require(outcome.objects().first)
        #expect(Set(object.keys) == ["path", "loss", "kept"])
        #expect(try Image(contentsOfFile: scratch.path("one.png")).width == 808)
        let several = try run("0.png", "1.png", "--output", "one.png")
        #expect(several.status == 64 && several.errors.contains("name a directory"), "\(several.errors)")
    }

    @Test func noiseDecidesWhatStays() throws {
        let noise = (0..<3).map { image in (0..<16).map { Float(($0 * 5 + image * 3) % 16) } }
        try write(noise, to: "noise.npy")
        let outcome = try run(
            "0.png", "bad.png", "2.png", "--output", "out", "--noise", "noise.npy", "--format", "json",
            "--prediction", "prediction.npy", "--batch-size", "2")
        #expect(outcome.status == 1)
        let objects = try outcome.objects()
        #expect(objects.map { $0["path"] as? String } == ["0.png", "bad.png", "2.png"])
        #expect((objects[1]["error"] as? String)?.contains("no such file") == true)
        for (index, row) in [(0, 0), (2, 2)] {
            let expected = (0..<16).sorted { noise[row][$0] < noise[row][$1] }.prefix(4)
            #expect(objects[index]["kept"] as? [Int] == Array(expected))
        }
        // A row for each image that was reconstructed.
        let file = try scratch.read("prediction.npy")
        #expect(String(decoding: file[10..<128], as: UTF8.self).contains("'shape': (2, 16, 48), }"))
        #expect(file.count == 128 + 2 * 16 * 48 * 4)
    }

    @Test func batchAndThreadsDoNotMatter() throws {
        func prediction(_ arguments: String...) throws -> [UInt8] {
            let all = ["0.png", "1.png", "2.png", "--output", "out", "--prediction", "p.npy"] + arguments
            let outcome = try Vit.run(["reconstruct", "--model", model] + all, in: scratch)
            #expect(outcome.status == 0, "\(outcome.errors)")
            return try scratch.read("p.npy")
        }
        let reference = try prediction()
        #expect(try prediction("--batch-size", "1", "--threads", "3") == reference)
        #expect(try prediction("--batch-size", "2", "--threads", "1") == reference)
        #expect(try prediction("--seed", "1") != reference)
        #expect(try prediction("--sampling", "grid") != reference)
        #expect(try prediction("--mask-ratio", "0.5") != reference)
    }

    @Test func noiseThatDoesNotFit() throws {
        try write([[Float](repeating: 0, count: 16)], to: "short.npy")
        try write([[Float]](repeating: [Float](repeating: 0, count: 9), count: 2), to: "narrow.npy")
        try write([[Float]](repeating: [Float](repeating: .nan, count: 16), count: 2), to: "nan.npy")
        try scratch.write("text", to: "text.npy")
        for (name, complaint) in [
            ("short.npy", "(2, 16) is right"), ("narrow.npy", "(2, 16) is right"), ("nan.npy", "no finite number"),
            ("text.npy", "no NumPy array"),
        ] {
            let outcome = try run("0.png", "1.png", "--output", "out", "--noise", name)
            #expect(outcome.status == 65, "\(outcome.errors)")
            #expect(outcome.errorLines.count == 1 && outcome.errors.hasPrefix("Error: \(name): "), "\(outcome.errors)")
            #expect(outcome.errors.contains(complaint), "\(outcome.errors)")
        }
        #expect(try run("0.png", "--output", "out", "--noise", "missing.npy").status == 66)
        #expect(!(try scratch.names.contains("out")))
    }

    @Test func modelsWithoutADecoder() throws {
        let outcome = try Vit.run(["reconstruct", "0.png", "--model", "hf-vit", "--output", "out"], in: scratch)
        #expect(outcome.status == 65)
        #expect(outcome.errorLines.count == 1 && outcome.errors.contains("no decoder"), "\(outcome.errors)")
    }

    @Test func anAssumedTargetIsReported() throws {
        let converted = try Vit.run(["convert", model, "--to", "mae", "--output", "mae"], in: scratch)
        #expect(converted.status == 0, "\(converted.errors)")
        try scratch.write(#"{"num_attention_heads": 2, "decoder_num_attention_heads": 4}"#, to: "mae/config.json")
        let arguments = [
            "reconstruct", "0.png", "--model", "mae/model.pth", "--image-size", "16", "--output", "one.png",
        ]
        let assumed = try Vit.run(arguments, in: scratch)
        #expect(assumed.status == 0 && assumed.errors.contains("normalised patches are assumed"), "\(assumed.errors)")
        let stated = try Vit.run(arguments + ["--target", "pixels"], in: scratch)
        #expect(stated.status == 0 && stated.errors.isEmpty, "\(stated.errors)")
        #expect(assumed.output != stated.output)
    }

    @Test func outputThatCannotBeCreated() throws {
        try scratch.write("", to: "file")
        try scratch.write("", to: "folder.png/file")
        for arguments in [
            ["--output", "file"], ["--output", "nowhere/one.png"],
            ["--output", "out", "--prediction", "nowhere/p.npy"],
            ["--output", "out", "--prediction", "folder.png"],
        ] {
            let outcome = try Vit.run(["reconstruct", "0.png", "--model", model] + arguments, in: scratch)
            #expect(outcome.status == 73, "\(arguments): \(outcome.errors)")
            #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
        }
    }

    @Test func picturesThatCannotBeRead() throws {
        try scratch.write("nonsense", to: "bad.png")
        let several = try run("0.png", "bad.png", "1.png", "--output", "out")
        #expect(several.status == 1 && several.lines.count == 2)
        #expect(several.errors.contains("bad.png") && several.errors.contains("2 of 3"), "\(several.errors)")
        #expect(try run("bad.png", "--output", "one.png").status == 65)
        #expect(try run("0.png", "bad.png", "1.png", "--output", "out", "--strict").status == 65)
        #expect(!(try scratch.names.contains("one.png")))
    }

    @Test func usage() throws {
        for arguments in [
            ["--output", "out"], ["0.png"], ["0.png", "--output", "out", "--mask-ratio", "1"],
            ["0.png", "--output", "out", "--mask-ratio", "0.99"], ["0.png", "--output", "out", "--batch-size", "0"],
            ["0.png", "--output", "out", "--target", "mean"], ["0.png", "--output", "out", "--image-size", "15"],
        ] {
            let outcome = try Vit.run(["reconstruct", "--model", model] + arguments, in: scratch)
            #expect(outcome.status == 64, "\(arguments): \(outcome.errors)")
        }
    }
}
