import Foundation
import Testing

/// What `vit classify` writes, in each format.
struct ClassifyFormatTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        try scratch.writeImage("a.png", seed: 1, width: 31, height: 18)
        try scratch.writeImage("b.png", seed: 2)
    }

    private func classify(_ arguments: String...) throws -> Vit.Outcome {
        try Vit.run(["classify", "--model", "hf-vit"] + arguments, in: scratch)
    }

    @Test func jsonLinesGiveSizeAndPredictionsInOrder() throws {
        let outcome = try classify("b.png", "a.png", "--format", "jsonl", "--top-k", "3")
        #expect(outcome.status == 0)
        #expect(outcome.errors.isEmpty)
        let objects = try outcome.objects()
        #expect(objects.map { $0["path"] as? String } == ["b.png", "a.png"])
        #expect(objects.map { $0["width"] as? Int } == [23, 31])
        #expect(objects.map { $0["height"] as? Int } == [17, 18])
        for object in objects {
            let predictions = try #require(object["predictions"] as? [[String: Any]])
            let probabilities = predictions.compactMap { $0["probability"] as? Double }
            #expect(probabilities.count == 3 && probabilities == probabilities.sorted(by: >))
            for prediction in predictions {
                let labels = ["ant", "bee", "cicada", "dragonfly", "earwig"]
                let index = try #require(prediction["index"] as? Int)
                #expect(prediction["label"] as? String == labels[index])
            }
        }
    }

    @Test func topKIsClampedToTheClasses() throws {
        let outcome = try classify("a.png", "--format", "jsonl", "--top-k", "99")
        let predictions = try #require(try outcome.objects().first?["predictions"] as? [[String: Any]])
        #expect(predictions.count == 5)
        let sum = predictions.compactMap { $0["probability"] as? Double }.reduce(0, +)
        #expect(abs(sum - 1) < 1e-6)
    }

    @Test func jsonIsAnArrayOfTheSameObjects() throws {
        let lines = try classify("a.png", "b.png", "nothing.png", "--format", "jsonl")
        let array = try classify("a.png", "b.png", "nothing.png", "--format", "json")
        #expect(lines.status == 1 && array.status == 1)
        let parsed = try #require(try JSONSerialization.jsonObject(with: Data(array.output.utf8)) as? [NSDictionary])
        #expect(parsed == (try lines.objects().map { $0 as NSDictionary }))
        #expect(parsed.count == 3 && parsed.last?["error"] is String)
    }

    @Test func csvHasARowARank() throws {
        let outcome = try classify("a.png", "b.png", "nothing.png", "--format", "csv", "--top-k", "2")
        #expect(outcome.lines.first == "path,rank,index,label,probability")
        let rows = outcome.lines.dropFirst().map { $0.split(separator: ",").map(String.init) }
        #expect(rows.map { $0[0] } == ["a.png", "a.png", "b.png", "b.png"])
        #expect(rows.map { $0[1] } == ["1", "2", "1", "2"])
    }

    @Test func oddNamesAreEscaped() throws {
        let name = "odd, \"quoted\"\n\u{1B}[31m ü.png"
        try scratch.writeImage(name)
        let json = try classify(name, "--format", "jsonl")
        #expect(try json.objects().first?["path"] as? String == name)
        let csv = try classify(name, "--format", "csv", "--top-k", "1")
        #expect(csv.output.contains("\"odd, \"\"quoted\"\"\n\u{1B}[31m ü.png\",1,"))
        let text = try classify(name, "a.png")
        #expect(text.lines.count == 2)
        #expect(text.output.contains("odd, \"quoted\"\\n\\x1B[31m ü.png"))
    }

    @Test func textIsATableForOneImageAndALineForEachOfMany() throws {
        let one = try classify("a.png")
        #expect(one.lines.first == "a.png  31 × 18")
        #expect(one.lines.count == 6)
        #expect(one.lines.dropFirst().allSatisfy { $0.contains(" %") })
        #expect(one.output.contains("█"))
        let many = try classify("a.png", "b.png")
        #expect(many.lines.count == 2)
        #expect(many.lines[0].hasPrefix("a.png  ") && many.lines[0].hasSuffix(" %"))
        let best = try #require(one.lines[1].split(separator: " ").first)
        #expect(many.lines[0].contains(best))
    }

    @Test func labelsComeFromAFile() throws {
        try scratch.write("A\nB\nC\nD\nE, the fifth\n", to: "names.txt")
        try scratch.write(#"["A","B","C","D","E, the fifth"]"#, to: "list.json")
        try scratch.write(#"{"id2label": {"4":"E, the fifth","0":"A","1":"B","2":"C","3":"D"}}"#, to: "map.json")
        let indices = #"{"A":0,"B":1,"C":2,"D":3,"E, the fifth":4}"#
        try scratch.write(indices, to: "class_to_idx.json")
        let outcomes = try ["names.txt", "list.json", "map.json", "class_to_idx.json"].map {
            try classify("a.png", "--format", "csv", "--labels", $0)
        }
        #expect(outcomes[0].status == 0 && outcomes[0].output.contains("\"E, the fifth\""))
        #expect(outcomes.allSatisfy { $0.output == outcomes[0].output })
        // Lines end at LF and CR LF only.
        try scratch.write("A\u{2028}\u{85}\r\nB\u{B}\nC\rc\nD\nE\r\n\r\n", to: "separators.txt")
        let separators = try classify("a.png", "--format", "csv", "--labels", "separators.txt")
        #expect(separators.status == 0 && separators.output.contains("A\u{2028}\u{85},"), "\(separators.errors)")
    }

    @Test func labelsMustSuitTheModel() throws {
        try scratch.write("A\nB\n", to: "few.txt")
        try scratch.write(#"{"0":"A","9":"B"}"#, to: "gap.json")
        let few = try classify("a.png", "--labels", "few.txt")
        #expect(few.status == 65)
        #expect(few.errorLines == ["Error: few.txt: names 2 classes; the model has 5"])
        #expect(try classify("a.png", "--labels", "gap.json").status == 65)
        #expect(try classify("a.png", "--labels", "none.txt").status == 66)
    }

    @Test func classesWithoutNamesAreNumbered() throws {
        let outcome = try Vit.run(
            ["classify", "a.png", "--model", "mae-finetuned/checkpoint-99.pth", "--format", "csv"], in: scratch,
            environment: [:])
        #expect(outcome.status == 66)
        let path = Fixtures.checkpoint("mae-finetuned/checkpoint-99.pth")
        let named = try Vit.run(["classify", "a.png", "--model", path, "--format", "csv"], in: scratch)
        #expect(named.status == 0 && named.output.contains(",class 0,"))
    }
}
