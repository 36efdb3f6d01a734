import Foundation
import Testing

/// Checkpoints that cannot be used: the right exit code, and one sentence that states why.
struct CheckpointFailureTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        try scratch.writeImage("a.png")
    }

    private func expectRefusal(of model: String, status: Int32, saying reason: String) throws {
        for arguments in [["classify", "a.png", "--model", model], ["inspect", model]] {
            let outcome = try Vit.run(arguments, in: scratch)
            #expect(outcome.status == status, "\(outcome.errors)")
            #expect(outcome.output.isEmpty)
            #expect(outcome.errorLines.count == 1 && outcome.errors.hasPrefix("Error: \(model)"), "\(outcome.errors)")
            #expect(outcome.errors.contains(reason), "\(outcome.errors)")
        }
    }

    @Test func cutShort() throws {
        try scratch.copyCheckpoint("hf-vit")
        let whole = try scratch.read("hf-vit/model.safetensors")
        for count in [whole.count - 1, whole.count / 2, 100, 0] {
            try scratch.write(Array(whole.prefix(count)), to: "hf-vit/model.safetensors")
            try expectRefusal(of: "hf-vit", status: 65, saying: "model.safetensors: ")
        }
    }

    /// A name that no file can have is that of no file, wherever it stands.
    @Test func namesThatAreTooLong() throws {
        let long = String(repeating: "n", count: 300)
        try expectRefusal(of: "./\(long)", status: 66, saying: "no such ")
        try scratch.copyCheckpoint("hf-vit")
        try FileManager.default.removeItem(atPath: scratch.path("hf-vit/model.safetensors"))
        try scratch.write(
            "{\"weight_map\": {\"a\": \"\(long).safetensors\"}}", to: "hf-vit/model.safetensors.index.json")
        try expectRefusal(of: "hf-vit", status: 66, saying: "\(long).safetensors: no such file: the name is too long")
        for arguments in [
            ["classify", long], ["classify", "@\(long)"], ["evaluate", long], ["search", long, "a.png"],
        ] {
            let outcome = try Vit.run(arguments, in: scratch)
            #expect(outcome.status == 66, "\(outcome.errors)")
            #expect(outcome.errors.contains("\(long): no such file: the name is too long"), "\(outcome.errors)")
        }
    }

    @Test func tensorMissing() throws {
        try scratch.copyCheckpoint("hf-vit")
        let whole = String(decoding: try scratch.read("hf-vit/model.safetensors"), as: UTF8.self)
        try #require(whole.contains("layer.1.layernorm_after.bias"))
        var bytes = try scratch.read("hf-vit/model.safetensors")
        let name = Array("layer.1.layernorm_after.bias".utf8)
        let start = try #require(bytes.firstRange(of: name)).lowerBound
        bytes.replaceSubrange(start..<start + name.count, with: "layer.1.layernorm_after.bios".utf8)
        try scratch.write(bytes, to: "hf-vit/model.safetensors")
        try expectRefusal(of: "hf-vit", status: 65, saying: "layer.1.layernorm_after.bias")
    }

    @Test func pickleThatCallsAFunction() throws {
        // torch.save of an object whose unpickling runs `touch pickle-was-run`.
        let pickle = """
            UEsDBBQAAAAAAAAAIQCgDmXPRAAAAEQAAAAQAAAAYXJjaGl2ZS9kYXRhLnBrbIACfXEAWAUAAABtb2RlbHEBY3Bvc2l4CnN5c3RlbQ\
            pxAlgUAAAAdG91Y2ggcGlja2xlLXdhcy1ydW5xA4VxBFJxBXMuUEsDBBQAAAAAAAAAIQDRnmdVAgAAAAIAAAAPAAAAYXJjaGl2ZS92\
            ZXJzaW9uMwpQSwECFAMUAAAAAAAAACEAoA5lz0QAAABEAAAAEAAAAAAAAAAAAAAAgAEAAAAAYXJjaGl2ZS9kYXRhLnBrbFBLAQIUAx\
            QAAAAAAAAAIQDRnmdVAgAAAAIAAAAPAAAAAAAAAAAAAACAAXIAAABhcmNoaXZlL3ZlcnNpb25QSwUGAAAAAAIAAgB7AAAAoQAAAAAA
            """
        try scratch.write(Array(try #require(Data(base64Encoded: pickle))), to: "evil.pth")
        try expectRefusal(of: "evil.pth", status: 65, saying: "system")
        #expect(try scratch.names == ["a.png", "evil.pth"])
    }

    @Test func notACheckpoint() throws {
        try scratch.write("hello", to: "model.safetensors")
        try expectRefusal(of: "model.safetensors", status: 65, saying: "no known weights file")
        try expectRefusal(of: "missing/model.safetensors", status: 66, saying: "no such checkpoint")
        // The names of the built-in checkpoints stand among those of the fixtures.
        try expectRefusal(of: "no-such-name", status: 66, saying: "known by name: ")
        try expectRefusal(of: "no-such-name", status: 66, saying: " deit-distilled, ")
    }

    @Test func withoutAHead() throws {
        let outcome = try Vit.run(["classify", "a.png", "--model", "hf-vit-model"], in: scratch)
        #expect(outcome.status == 65)
        #expect(outcome.errorLines.count == 1)
        #expect(outcome.errors.contains("hf-vit-model/pytorch_model.bin: has no classifier head"))
        #expect(outcome.errors.contains("fine-tune it, or use a checkpoint that was trained to classify"))
    }
}
