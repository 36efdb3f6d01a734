import Foundation
import TestTools
import Testing

/// Classes, texts and queries in words, with a small CLIP.
struct WordsTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        try Self.writeModel("clip", in: scratch)
        for number in 0..<5 { try scratch.writeImage("photos/\(number).png", seed: number) }
    }

    /// The fixture of both towers, with a tokenizer that knows a few words.
    private static func writeModel(_ name: String, in scratch: Scratch) throws {
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/towers/hf-clip")
        try FileManager.default.copyItem(at: source, to: URL(fileURLWithPath: scratch.path(name)))
        let letters = "a b c d e f g o r t . !".split(separator: " ").map(String.init)
        let words = letters + letters.map { $0 + "</w>" } + ["ca", "cat</w>", "do", "dog</w>", "re", "red</w>"]
        var ids = Dictionary(uniqueKeysWithValues: zip(words, words.indices))
        ids["<|startoftext|>"] = 38
        ids["<|endoftext|>"] = 39
        try scratch.write(Array(try JSONSerialization.data(withJSONObject: ids)), to: "\(name)/vocab.json")
        try scratch.write(
            "#version: 0.2\nc a\nca t</w>\nd o\ndo g</w>\nr e\nre d</w>\n", to: "\(name)/merges.txt")
        try scratch.write(
            #"{"tokenizer_class": "CLIPTokenizer", "pad_token": "<|endoftext|>", "model_max_length": 12}"#,
            to: "\(name)/tokenizer_config.json")
    }

    private func run(_ arguments: String...) throws -> Vit.Outcome {
        try Vit.run(arguments + (arguments.contains("--model") ? [] : ["--model", "clip"]), in: scratch)
    }

    /// The rows of an array of float32.
    private func rows(_ name: String, width: Int) throws -> [[Float]] {
        let bytes = try scratch.read(name)
        let values = stride(from: 128, to: bytes.count, by: 4).map { place in
            Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << (8 * $1) })
        }
        return stride(from: 0, to: values.count, by: width).map { Array(values[$0..<$0 + width]) }
    }

    private func unit(_ vector: [Float]) -> [Float] {
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return vector.map { $0 / length }
    }

    private func dot(_ one: [Float], _ other: [Float]) -> Float { zip(one, other).reduce(0) { $0 + $1.0 * $1.1 } }

    /// The vectors of images and texts, of length 1.
    private func vectors(texts: [String]) throws -> (images: [[Float]], texts: [[Float]]) {
        try scratch.write(texts.joined(separator: "\n"), to: "texts.txt")
        #expect(try run("embed", "photos", "--output", "images.jsonl", "--l2", "--quiet").status == 0)
        #expect(try run("embed", "photos", "--output", "images.npy", "--l2", "--quiet").status == 0)
        let outcome = try run("embed", "--text", "texts.txt", "--output", "texts.npy", "--l2", "--quiet")
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        let line = try scratch.read("images.jsonl").prefix { $0 != 0x0A }
        let object = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
        let width = try #require(object?["embedding"] as? [Double]).count
        return (try rows("images.npy", width: width), try rows("texts.npy", width: width))
    }

    /// Each class is the mean of its prompts' vectors, and its logit the scaled cosine.
    @Test func classesInWords() throws {
        let outcome = try run(
            "classify", "photos", "--classes", "cat", "dog", "red", "--prompt", "a {}.", "--prompt", "{}! {}!",
            "--format",
            "json", "--logits", "logits.npy")
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        let objects = try #require(
            try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]])
        let (images, texts) = try vectors(texts: ["cat", "dog", "red"].flatMap { ["a \($0).", "\($0)! \($0)!"] })
        let classes = (0..<3).map { index in unit(zip(texts[2 * index], texts[2 * index + 1]).map { $0 + $1 }) }
        let logits = try rows("logits.npy", width: 3)
        let scale = logits[0][0] / dot(images[0], classes[0])
        #expect(scale > 1)
        for (image, row) in logits.enumerated() {
            let powers = row.map { exp($0) }
            let predictions = try #require(objects[image]["predictions"] as? [[String: Any]])
            #expect(predictions.count == 3)
            for index in 0..<3 {
                #expect(abs(row[index] - scale * dot(images[image], classes[index])) < 1e-3)
                let prediction = try #require(predictions.first { $0["index"] as? Int == index })
                #expect(prediction["label"] as? String == ["cat", "dog", "red"][index])
                let probability = Float(try #require(prediction["probability"] as? Double))
                #expect(abs(probability - powers[index] / powers.reduce(0, +)) < 1e-5)
            }
        }
        try scratch.write("cat\ndog\nred\n", to: "names.txt")
        let listed = try run(
            "classify", "photos", "--labels", "names.txt", "--prompt", "a {}.", "--prompt", "{}! {}!", "--format",
            "json")
        #expect(listed.output == outcome.output)
    }

    /// SigLIP was trained on each pair by itself.
    @Test func probabilitiesOfEachPair() throws {
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/towers/hf-siglip")
        try FileManager.default.copyItem(at: source, to: URL(fileURLWithPath: scratch.path("siglip")))
        try scratch.write(
            """
            {"version": "1.0", "normalizer": null, "decoder": null, "truncation": null, "padding": null,
             "added_tokens": [{"id": 1, "content": "</s>", "single_word": false, "lstrip": false, "rstrip": false,
                               "normalized": false, "special": true}],
             "pre_tokenizer": {"type": "Metaspace", "replacement": "\u{2581}", "prepend_scheme": "always", "split": true},
             "post_processor": null,
             "model": {"type": "Unigram", "unk_id": 2, "byte_fallback": false, "vocab": [
                 ["<pad>", 0], ["</s>", 0], ["<unk>", 0], ["\u{2581}cat", -1], ["\u{2581}dog", -1], ["\u{2581}a", -2]]}}
            """, to: "siglip/tokenizer.json")
        let outcome = try run(
            "classify", "photos/0.png", "--model", "siglip", "--classes", "cat", "a dog", "--format", "json",
            "--logits",
            "logits.npy")
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        let objects = try #require(
            try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]])
        let predictions = try #require(objects[0]["predictions"] as? [[String: Any]])
        let logits = try rows("logits.npy", width: 2)[0]
        for prediction in predictions {
            let index = try #require(prediction["index"] as? Int)
            let probability = Float(try #require(prediction["probability"] as? Double))
            #expect(abs(probability - 1 / (1 + exp(-logits[index]))) < 1e-6)
        }
        #expect(predictions.count == 2 && logits[0] != logits[1])
    }

    /// OpenCLIP cleans texts first; transformers' configuration beside it is not the model's.
    @Test func textsOfAnOpenCLIPModelAreCleaned() throws {
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/towers/open-clip")
        try FileManager.default.copyItem(at: source, to: URL(fileURLWithPath: scratch.path("open")))
        for name in ["vocab.json", "merges.txt", "tokenizer_config.json"] {
            try scratch.write(try scratch.read("clip/\(name)"), to: "open/\(name)")
        }
        try scratch.write(try scratch.read("clip/config.json"), to: "open/config.json")
        try scratch.write("a &amp; b\na & b\n", to: "texts.txt")
        let outcome = try run("embed", "--text", "texts.txt", "--model", "open", "--output", "texts.npy", "--quiet")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let bytes = try scratch.read("texts.npy").dropFirst(128)
        #expect(bytes.prefix(bytes.count / 2).elementsEqual(bytes.suffix(bytes.count / 2)))
    }

    @Test(arguments: ["bfloat16", "int8"])
    func classesAtLowerPrecision(_ precision: String) throws {
        let arguments = ["classify", "photos", "--model", "clip", "--classes", "cat", "dog", "--format", "csv"]
        let exact = try Vit.run(arguments, in: scratch)
        let rounded = try Vit.run(arguments + ["--precision", precision, "--batch-size", "2"], in: scratch)
        #expect(rounded.status == 0 && rounded.errors.isEmpty, "\(rounded.errors)")
        #expect(rounded.output.split(separator: "\n").count == exact.output.split(separator: "\n").count)
        #expect(rounded.output != exact.output)
    }

    @Test func anEvaluationInWords() throws {
        for (index, name) in ["cat", "dog", "cat"].enumerated() {
            try scratch.writeImage("named/\(name)/\(index).png", seed: index)
        }
        let outcome = try run("evaluate", "named", "--classes", "cat", "dog", "--format", "json", "--quiet")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let report = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
        #expect(report?["count"] as? Int == 3, "\(outcome.output)")
    }

    @Test func aSearchInWords() throws {
        let (images, texts) = try vectors(texts: ["a cat", "", "red"])
        let best = { (query: [Float]) in
            images.indices.max { self.dot(images[$0], query) < self.dot(images[$1], query) }
        }
        let one = try run("search", "images.npy", "--text", "a cat", "--format", "csv", "--top-k", "1")
        #expect(one.status == 0 && one.errors.isEmpty, "\(one.errors)")
        let row = try #require(best(texts[0]))
        #expect(one.output.contains("a cat,1,\(row),photos/\(row).png,"), "\(one.output)")
        let both = try run(
            "search", "images.npy", "--text", "a cat", "--text", "red", "--format", "csv", "--top-k", "1")
        let other = try #require(best(zip(texts[0], texts[2]).map { $0 + $1 }))
        #expect(both.output.contains("a cat + red,1,\(other),"), "\(both.output)")
        // Texts by an image.
        let back = try run("search", "texts.npy", "photos/0.png", "--format", "csv", "--top-k", "3")
        #expect(back.status == 0 && back.output.contains(",red,"), "\(back.output) \(back.errors)")
        let index = String(decoding: try scratch.read("texts.index.csv"), as: UTF8.self)
        #expect(index.hasPrefix("row,text,sha256\n0,a cat,") && index.contains("\n1,,"), "\(index)")
    }

    @Test func anIndexOfAnotherModel() throws {
        #expect(try run("embed", "photos", "--output", "rows.npy", "--quiet").status == 0)
        #expect(try run("embed", "photos", "--output", "trunk.npy", "--pool", "cls", "--quiet").status == 0)
        let trunk = try run("search", "trunk.npy", "--text", "cat")
        #expect(trunk.status == 64 && trunk.errors.contains("words are not compared with"), "\(trunk.errors)")
        try Self.writeModel("other", in: scratch)
        // The text tower comes first.
        var weights = try scratch.read("other/model.safetensors")
        for place in stride(from: weights.count / 5 & ~3, to: weights.count / 2, by: 4) { weights[place + 2] ^= 0x40 }
        try scratch.write(weights, to: "other/model.safetensors")
        let other = try run("search", "rows.npy", "--text", "cat", "--model", "other")
        #expect(other.status == 64 && other.errors.contains("another model than"), "\(other.errors)")
    }

    /// The tokenizer's files go along with the model that they belong to.
    @Test(arguments: ["hf", "open_clip"])
    func conversionTakesTheTokenizerAlong(layout: String) throws {
        let outcome = try Vit.run(["convert", "clip", "--to", layout, "--output", "out"], in: scratch)
        // This vocabulary lacks most letters, which the two programs take differently.
        let note = "OpenCLIP makes other tokens of some texts"
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(layout == "hf" ? outcome.errors.isEmpty : outcome.errors.contains(note), "\(outcome.errors)")
        for name in ["vocab.json", "merges.txt", "tokenizer_config.json"] {
            #expect(try scratch.read("out/\(name)") == scratch.read("clip/\(name)"))
        }
        for model in ["clip", "out"] {
            let words = ["--classes", "cat", "dog", "--logits", "\(model).npy", "--quiet"]
            #expect(try Vit.run(["classify", "photos", "--model", model] + words, in: scratch).status == 0)
        }
        for (one, other) in zip(try rows("clip.npy", width: 2), try rows("out.npy", width: 2)) {
            #expect(zip(one, other).allSatisfy { abs($0 - $1) < 1e-4 })
        }
        let alone = try Vit.run(
            ["convert", "clip", "--to", "timm", "--encoder-only", "--output", "tower"], in: scratch)
        #expect(alone.status == 0 && (try? scratch.read("tower/vocab.json")) == nil)
    }

    /// Where another program makes other tokens of texts by the same files, or none, that is said.
    @Test func tokenizersThatDoNotFitTheLayoutAreNoted() throws {
        try scratch.write("#version: 0.2\nc a\nsparkling\n", to: "clip/merges.txt")
        let broken = try Vit.run(["convert", "clip", "--to", "hf", "--output", "one"], in: scratch)
        #expect(broken.status == 0 && broken.errors.contains("cannot be used"), "\(broken.errors)")
        try FileManager.default.removeItem(atPath: scratch.path("clip/merges.txt"))
        try FileManager.default.removeItem(atPath: scratch.path("clip/vocab.json"))
        try FileManager.default.removeItem(atPath: scratch.path("clip/tokenizer_config.json"))
        let none = try Vit.run(["convert", "clip", "--to", "hf", "--output", "two"], in: scratch)
        #expect(none.status == 0 && none.errors.contains("clip holds no tokenizer"), "\(none.errors)")
    }

    @Test(arguments: [
        (["classify", "photos", "--model", "clip"], 64, "tells classes apart by words"),
        (["classify", "photos", "--classes", "cat", "--model", "hf-vit"], 65, "has no text tower"),
        (
            ["classify", "photos", "--classes", "cat", "--labels", "names.txt", "--model", "clip"], 64,
            "both name the classes"
        ),
        (["classify", "photos", "--classes", "cat", "--prompt", "a photo", "--model", "clip"], 64, "a text with {}"),
        (
            ["classify", "photos", "--classes", "cat", "--tokenizer", "photos", "--model", "clip"], 66,
            "holds no tokenizer"
        ),
        (["search", "none.npy"], 64, "--text in words"),
        (["embed", "photos", "--text", "names.txt", "--output", "t.npy", "--model", "clip"], 64, "leave out photos"),
        (
            ["embed", "--text", "names.txt", "--resume", "--output", "t.npy", "--model", "clip"], 64,
            "goes without --resume"
        ),
        (["embed", "--text", "none.txt", "--output", "t.npy", "--model", "clip"], 66, "no such file"),
        (["embed", "--text", "names.txt", "--output", "t.npy", "--model", "hf-vit"], 65, "has no text tower"),
    ])
    func whatIsRefused(_ arguments: [String], _ status: Int, _ words: String) throws {
        try scratch.write("cat\ndog\n", to: "names.txt")
        let outcome = try Vit.run(arguments, in: scratch)
        #expect(
            outcome.status == Int32(status) && outcome.errors.contains(words), "\(outcome.status) \(outcome.errors)")
        #expect(try !scratch.names.contains("t.npy"))
    }

    /// A vocabulary of another model names tokens that this one does not have.
    @Test func aForeignTokenizer() throws {
        try Self.writeModel("larger", in: scratch)
        let text = String(decoding: try scratch.read("larger/vocab.json"), as: UTF8.self)
        try scratch.write(text.replacingOccurrences(of: "38", with: "4000"), to: "larger/vocab.json")
        let outcome = try run("classify", "photos", "--classes", "cat", "--tokenizer", "larger")
        #expect(outcome.status == 64 && outcome.errors.contains("larger: makes the token 4000"), "\(outcome.errors)")
    }
}
