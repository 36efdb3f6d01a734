import Foundation
import TestTools
import Testing

/// What `vit classify` takes as input, and what becomes of inputs that are no images.
struct ClassifyInputTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        try scratch.writeImage("good.png", seed: 1)
    }

    private func classify(_ arguments: [String], input: [UInt8] = []) throws -> Vit.Outcome {
        try Vit.run(["classify", "--model", "hf-vit", "--format", "jsonl"] + arguments, in: scratch, input: input)
    }

    /// One input that is refused: the exit code, and one sentence on standard error that names it.
    private func expectRefusal(_ argument: String, status: Int32, saying reason: String) throws {
        let outcome = try classify([argument])
        #expect(outcome.status == status, "\(argument): \(outcome.errors)")
        #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
        #expect(outcome.errors.hasPrefix("Error: \(argument)"), "\(outcome.errors)")
        #expect(outcome.errors.contains(reason), "\(outcome.errors)")
    }

    @Test func directoriesListsAndStandardInputAreExpanded() throws {
        try scratch.writeImage("folder/b/2.png", seed: 2)
        try scratch.writeImage("folder/a.PNG", seed: 3)
        try scratch.write("notes", to: "folder/README.md")
        try scratch.write("not a picture", to: "folder/.hidden.png")
        try scratch.write("good.png\r\nfolder/a.PNG\n", to: "list.txt")
        let outcome = try classify(["folder", "@list.txt", "-"], input: try scratch.read("good.png"))
        #expect(outcome.status == 0, "\(outcome.errors)")
        let paths = try outcome.objects().map { $0["path"] as? String }
        #expect(paths == ["folder/a.PNG", "folder/b/2.png", "good.png", "folder/a.PNG", "-"])
        let objects = try outcome.objects().map { $0["predictions"] as? NSArray }
        #expect(objects[2] == objects[4] && objects[0] == objects[3] && objects[0] != objects[1])
    }

    @Test func whatIsNoImageIsRefusedByName() throws {
        try scratch.write(
            Array("RIFF".utf8) + [36, 0, 0, 0] + Array("WEBPVP8 ".utf8) + .init(repeating: 0, count: 24),
            to: "photo.png")
        try scratch.write("", to: "empty.jpg")
        try scratch.write("some text", to: "text.jpg")
        try scratch.write("notes", to: "bare/README.md")
        try scratch.write(try scratch.read("good.png").dropLast(20), to: "short.png")
        try expectRefusal("photo.png", status: 65, saying: "this is WebP; swift-vit reads PNG and JPEG")
        try expectRefusal("empty.jpg", status: 65, saying: "empty")
        try expectRefusal("text.jpg", status: 65, saying: "PNG and JPEG")
        try expectRefusal(
            "short.png", status: 65, saying: "end before the image does; --lenient reads it as far as it goes")
        try expectRefusal("bare", status: 66, saying: "no images")
        try expectRefusal("missing.png", status: 66, saying: "no such file")
        let list = try classify(["@missing.txt"])
        #expect(list.status == 66 && list.errors.contains("missing.txt"))
    }

    @Test func damagedImagesAreReadOnRequest() throws {
        try scratch.write(try scratch.read("good.png").dropLast(20), to: "short.png")
        try scratch.write(Array(try scratch.read("good.png").prefix(20)), to: "head.png")
        let outcome = try classify(["good.png", "short.png", "head.png", "--lenient", "--format", "csv"])
        #expect(outcome.status == 1 && outcome.lines.count == 11, "\(outcome.errors)")
        #expect(
            outcome.errors.contains(
                "Warning: short.png: the PNG data end before the image does; it is read as far as it goes"))
        #expect(outcome.errors.contains("Error: head.png: the PNG data end before the image does\n"))
        let large = try classify(["good.png", "--lenient", "--max-pixels", "9"])
        #expect(
            large.errors.hasSuffix("more than the limit of 9; --max-pixels sets another limit\n"), "\(large.errors)")
    }

    @Test func hugeImagesAreRefusedByTheirHeader() throws {
        // A PNG whose header announces 30,000 × 30,000 pixels.
        let header = """
            iVBORw0KGgoAAAANSUhEUgAAdTAAAHUwCAIAAADpRW/tAAAADElEQVR4nGNgoD0AAABkAAGGZDw1AAAAAElFTkSuQmCC
            """
        try scratch.write(Array(try #require(Data(base64Encoded: header))), to: "huge.png")
        try expectRefusal("huge.png", status: 65, saying: "30000 × 30000")
        let small = try classify(["good.png", "--max-pixels", "390"])
        #expect(small.status == 65 && small.errors.contains("23 × 17"))
        #expect(try classify(["good.png", "--max-pixels", "391"]).status == 0)
    }

    @Test func oneBadImageDoesNotEndARun() throws {
        try scratch.write("nonsense", to: "bad.png")
        try scratch.writeImage("last.png", seed: 5)
        let outcome = try classify(["good.png", "bad.png", "missing.png", "last.png"])
        #expect(outcome.status == 1)
        let objects = try outcome.objects()
        #expect(objects.map { $0["path"] as? String } == ["good.png", "bad.png", "missing.png", "last.png"])
        #expect(objects.map { $0["error"] != nil } == [false, true, true, false])
        #expect(objects.allSatisfy { ($0["error"] as? String)?.contains("bad.png") != true })
        #expect(outcome.errorLines.count == 3)
        #expect(outcome.errorLines[0].hasPrefix("Error: bad.png: "))
        #expect(outcome.errorLines[1].hasPrefix("Error: missing.png: "))
        #expect(outcome.errorLines[2] == "2 of 4 classified, 2 failed")
    }

    @Test func strictStopsAtTheFirstBadImage() throws {
        try scratch.write("nonsense", to: "bad.png")
        let arguments = ["good.png", "bad.png", "good.png", "--strict", "--logits", "logits.npy"]
        let outcome = try classify(arguments)
        #expect(outcome.status == 65)
        #expect(outcome.errorLines.count == 1 && outcome.errors.hasPrefix("Error: bad.png: "))
        #expect(try outcome.objects().count == 1)
        #expect(try scratch.names == ["bad.png", "good.png"])
    }

    @Test func orientationIsAppliedUnlessIgnored() throws {
        let sizes = try [[], ["--ignore-orientation"]].map { flags in
            let object = try classify([Fixtures.image("orientation-6.jpg")] + flags).objects().first
            return [object?["width"] as? Int, object?["height"] as? Int]
        }
        #expect(sizes[0] == sizes[1].reversed() && sizes[0] != sizes[1])
    }

    @Test func fastDecodingChangesLittleOfALargePhoto() throws {
        try scratch.writePhoto("large.jpg", width: 640, height: 480)
        let results = try [[], ["--fast-decode"]].map { flags in
            let objects = try classify(["large.jpg", "good.png"] + flags).objects()
            #expect(objects[0]["width"] as? Int == 640 && objects[0]["height"] as? Int == 480)
            return try objects.map { object in
                let predictions = try #require(object["predictions"] as? [[String: Any]])
                return predictions.compactMap { $0["probability"] as? Double }
            }
        }
        let (whole, fast) = (results[0], results[1])
        #expect(whole[0] != fast[0] && isClose(whole[0], fast[0], within: 0.02))
        #expect(whole[1] == fast[1])
    }

    @Test(.enabled(if: Fixtures.data != nil)) func damagedFilesOfPngSuiteAreRefused() throws {
        let folder = try #require(Fixtures.data) + "/image-corpora/pngsuite/png"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
            .filter { $0.hasPrefix("x") && $0.hasSuffix(".png") }
        #expect(!names.isEmpty)
        for name in names { try expectRefusal("\(folder)/\(name)", status: 65, saying: ": ") }
    }
}
