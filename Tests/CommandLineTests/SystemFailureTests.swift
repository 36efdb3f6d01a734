import Foundation
import Testing

/// Failures of the system end in a sentence that names the file, and never in a result that lacks something.
struct SystemFailureTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        for name in ["photos/a.png", "photos/inner/b.png"] { try scratch.writeImage(name) }
        try scratch.copyCheckpoint("hf-vit")
    }

    private func replace(_ name: String, byLinkTo target: String) throws {
        try? FileManager.default.removeItem(atPath: scratch.path(name))
        try FileManager.default.createSymbolicLink(atPath: scratch.path(name), withDestinationPath: target)
    }

    @Test(.enabled(if: Strace.isUsable)) func aFolderWhoseListingFailsIsNamed() throws {
        let outcome = try Strace.run(
            ["classify", "photos", "--model", "hf-vit", "--format", "csv", "--top-k", "1"], failing: "getdents64",
            on: scratch.path("photos/inner"), in: scratch)
        #expect(outcome.status == 1 && outcome.lines.count == 2)
        #expect(outcome.errors.contains("Error: photos/inner: cannot be read: input/output error\n"))
        let data = try Strace.run(
            ["evaluate", "photos", "--model", "hf-vit"], failing: "getdents64", on: scratch.path("photos"), in: scratch)
        #expect(data.status == 74 && data.errors.contains("photos: cannot be read: input/output error"))
        let model = try Strace.run(
            ["inspect", "hf-vit"], failing: "getdents64", on: scratch.path("hf-vit"), in: scratch)
        #expect(model.status == 74 && model.errors.contains("hf-vit: cannot be read: input/output error"))
    }

    @Test(.enabled(if: Strace.isUsable)) func aFolderThatIsNotOnTheDiskIsAFailedWrite() throws {
        try FileManager.default.createDirectory(atPath: scratch.path("out"), withIntermediateDirectories: true)
        let written = try Strace.run(
            ["classify", "photos", "--model", "hf-vit", "--logits", "out/logits.npy"], failing: "fsync",
            on: scratch.path("out"), in: scratch)
        #expect(written.status == 74)
        #expect(written.errors.contains("Error: out/logits.npy: cannot be written: Input/output error"))
    }

    /// Without its configuration, the model would be guessed from its tensors.
    @Test(arguments: [
        ("config.json", "cannot be examined: too many levels"), ("/proc/self/mem", "cannot be read: input"),
    ])
    func aConfigurationThatCannotBeReadIsNotMissing(target: String, words: String) throws {
        try replace("hf-vit/config.json", byLinkTo: target)
        let outcome = try Vit.run(["classify", "photos", "--model", "./hf-vit"], in: scratch)
        #expect(outcome.status == 74)
        #expect(
            outcome.errorLines.last?.hasPrefix("Error: ./hf-vit/config.json: \(words)") == true, "\(outcome.errors)")
    }

    @Test func aClassThatCannotBeLookedAtIsNotLeftOut() throws {
        try replace("photos/other", byLinkTo: "other")
        let folder = try Vit.run(["evaluate", "photos", "--model", "hf-vit"], in: scratch)
        #expect(folder.status == 74)
        #expect(folder.errors.contains("photos/other: cannot be examined: too many levels of symbolic links"))
        try replace("photos/other", byLinkTo: "inner")
        try replace("photos/metadata.csv", byLinkTo: "metadata.csv")
        let table = try Vit.run(["evaluate", "photos", "--model", "hf-vit"], in: scratch)
        #expect(table.status == 74)
        #expect(table.errors.contains("photos/metadata.csv: cannot be examined: too many levels of symbolic links"))
    }

    @Test func filesBesideEmbeddingsThatCannotBeReadAreNotMissing() throws {
        let embedded = try Vit.run(
            ["embed", "photos", "--model", "hf-vit", "--output", "p.npy", "--quiet"], in: scratch)
        #expect(embedded.status == 0, "\(embedded.errors)")
        for name in ["p.index.csv", "p.settings.json"] {
            let bytes = try scratch.read(name)
            try replace(name, byLinkTo: name)
            let outcome = try Vit.run(["search", "p.npy", "0"], in: scratch)
            #expect(outcome.status == 74 && outcome.errors.contains("\(name): cannot be examined"), "\(outcome.errors)")
            try FileManager.default.removeItem(atPath: scratch.path(name))
            try scratch.write(bytes, to: name)
        }
    }
}
