import Foundation
import Testing

/// `vit models`: what is here by name.
struct ModelsTests {
    private let scratch: Scratch
    private static let commit = String(repeating: "0a", count: 20)

    init() throws { scratch = try Scratch() }

    /// Puts files into the cache as Python does.
    private func cache(_ name: String, _ files: [String: [UInt8]], revision: String? = "main") throws {
        let folder = "cache/models--" + name.split(separator: "/").joined(separator: "--")
        for (file, bytes) in files {
            try scratch.write(bytes, to: "\(folder)/blobs/\(file)-content")
            let snapshot = scratch.path("\(folder)/snapshots/\(Self.commit)")
            try FileManager.default.createDirectory(atPath: snapshot, withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(
                atPath: snapshot + "/" + file, withDestinationPath: "../../blobs/\(file)-content")
        }
        if let revision { try scratch.write(Self.commit, to: "\(folder)/refs/\(revision)") }
    }

    private func fixture(_ checkpoint: String) throws -> [String: [UInt8]] {
        try ["config.json", "preprocessor_config.json", "model.safetensors"].reduce(into: [:]) { files, name in
            let path = "\(Fixtures.checkpoint(checkpoint))/\(name)"
            guard FileManager.default.fileExists(atPath: path) else { return }
            files[name] = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        }
    }

    private func run(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Vit.Outcome {
        try Vit.run(
            arguments, in: scratch,
            environment: ["HF_HUB_CACHE": scratch.path("cache"), "VIT_CHECKPOINTS": scratch.path("own")]
                .merging(environment) { $1 })
    }

    private func list(_ arguments: [String] = []) throws -> [String: [String: Any]] {
        let outcome = try run(["models", "--format", "json"] + arguments)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let list = try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]])
        return Dictionary(uniqueKeysWithValues: list.map { ($0["name"] as? String ?? "", $0) })
    }

    @Test func cachedModelsAndFoldersAreListed() throws {
        try cache("owner/vit", fixture("hf-vit"))
        try cache("solo", fixture("hf-mae"), revision: "v1")
        try cache("owner/unnamed", fixture("hf-vit"), revision: nil)
        try cache(
            "owner/text", ["config.json": Array(#"{"model_type": "bert"}"#.utf8), "model.safetensors": [1, 2, 3]])
        try cache("owner/part", ["config.json": Array(#"{"model_type": "vit"}"#.utf8)])
        try scratch.write("x", to: "cache/datasets--owner--x/refs/main")
        try scratch.write("x", to: "cache/models--..--x/refs/main")
        try FileManager.default.createDirectory(atPath: scratch.path("own"), withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: Fixtures.checkpoint("timm-cait"), toPath: scratch.path("own/cait"))
        let models = try list()
        #expect(
            Set(models.keys).isSuperset(of: [
                "owner/vit", "solo@v1", "owner/unnamed@\(Self.commit)", "owner/text", "owner/part", "cait",
            ]))
        #expect(!models.keys.contains { $0.contains("..") })
        let vit = try #require(models["owner/vit"])
        #expect(vit["family"] as? String == "ViT" && vit["readable"] as? Bool == true && vit["obstacle"] is NSNull)
        #expect(try vit["bytes"] as? Int == fixture("hf-vit").values.reduce(0) { $0 + $1.count })
        #expect(models["solo@v1"]?["family"] as? String == "MAE" && models["cait"]?["family"] as? String == "CaiT")
        #expect((models["owner/text"]?["obstacle"] as? String)?.contains("describes a model of type bert") == true)
        #expect(models["owner/part"]?["obstacle"] as? String == "lacks weights")
        let text = try run(["models"])
        #expect(text.status == 0 && text.lines.contains { $0.hasPrefix("owner/vit ") && $0.contains("ViT") })
        #expect(text.output.contains("Cannot be read\n") && text.output.contains("  owner/part: lacks weights\n"))
    }

    @Test func whatPythonFetchedIsReadAtOnce() throws {
        try cache("owner/vit", fixture("hf-vit"))
        try cache("solo", fixture("hf-vit"))
        try scratch.writeImage("a.png")
        // Nothing would answer there.
        let network = ["HF_HUB_OFFLINE": "0", "HF_ENDPOINT": "http://127.0.0.1:9"]
        for name in ["owner/vit", "hf:solo", "owner/vit@\(Self.commit)"] {
            let outcome = try run(["classify", "a.png", "--model", name], network)
            #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        }
        let part = try run(["classify", "a.png", "--model", "owner/vit@other", "--offline"])
        #expect(part.status == 66 && part.errors.contains("owner/vit@other: is not in the cache"), "\(part.errors)")
    }

    @Test func aPathWinsOverAName() throws {
        try cache("owner/vit", ["config.json": Array(#"{"model_type": "bert"}"#.utf8)])
        try scratch.copyCheckpoint("hf-vit")
        try FileManager.default.createDirectory(atPath: scratch.path("owner"), withIntermediateDirectories: true)
        try FileManager.default.moveItem(atPath: scratch.path("hf-vit"), toPath: scratch.path("owner/vit"))
        #expect(try run(["inspect", "owner/vit"]).status == 0)
        #expect(try run(["inspect", "hf:owner/vit"]).status != 0)
    }

    @Test func damagedReferencesAreSaid() throws {
        try cache("owner/vit", fixture("hf-vit"))
        try scratch.write("../../..", to: "cache/models--owner--vit/refs/main")
        let outcome = try run(["inspect", "owner/vit"])
        #expect(outcome.status == 65 && outcome.errors.contains("refs/main: holds no commit"), "\(outcome.errors)")
    }

    @Test func aLinkThatLeadsNowhereIsNoModel() throws {
        try cache("owner/vit", fixture("hf-vit"))
        try FileManager.default.removeItem(
            atPath: scratch.path("cache/models--owner--vit/blobs/model.safetensors-content"))
        let outcome = try run(["inspect", "owner/vit"])
        #expect(
            outcome.status == 66 && outcome.errors.contains("owner/vit: lacks weights in the cache"),
            "\(outcome.errors)")
    }

    @Test func anEmptyListIsAList() throws {
        #expect(try run(["models", "--download", "a/b/c"]).status == 64)
        #expect(
            try run(["models", "--download", "owner/vit", "--offline"]).errors.contains(
                "owner/vit: is not fetched, since --offline"))
    }
}
