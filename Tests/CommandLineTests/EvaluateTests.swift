import Foundation
import Testing

/// `vit evaluate` on images of three of the five classes of a small model.
struct EvaluateTests {
    private let scratch: Scratch
    private let classes = ["ant", "cicada", "earwig"]

    init() throws {
        scratch = try Scratch()
        for (number, name) in classes.enumerated() {
            for index in 0..<8 { try scratch.writeImage("data/\(name)/\(index).png", seed: 8 * number + index) }
        }
    }

    private func evaluate(_ arguments: String...) throws -> Vit.Outcome {
        try Vit.run(["evaluate", "data", "--model", "hf-vit"] + arguments, in: scratch)
    }

    private func result(_ arguments: String...) throws -> [String: Any] {
        let outcome = try Vit.run(
            ["evaluate", "data", "--model", "hf-vit", "--format", "json"] + arguments, in: scratch)
        #expect(outcome.status == 0 || outcome.status == 1, "\(outcome.errors)")
        return try #require(JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    }

    @Test func scoresAreThoseOfTheSingleAnswers() throws {
        let answers = try Vit.run(["classify", "data", "--model", "hf-vit", "--format", "jsonl"], in: scratch)
        var (correct, loss) = (0, 0.0)
        var confusion = [[Int]](repeating: [0, 0, 0, 0, 0], count: 5)
        for object in try answers.objects() {
            let path = try #require(object["path"] as? String)
            let predictions = try #require(object["predictions"] as? [[String: Any]])
            let truth = try #require(predictions.first { path.contains("/\($0["label"] as? String ?? "?")/") })
            let (row, column) = (truth["index"] as? Int ?? 0, predictions[0]["index"] as? Int ?? 0)
            confusion[row][column] += 1
            if row == column { correct += 1 }
            loss -= log(try #require(truth["probability"] as? Double))
        }
        let result = try result()
        #expect(result["part"] as? String == "all")
        #expect(result["count"] as? Int == 24)
        #expect(result["correct"] as? Int == correct)
        #expect(result["top1"] as? Double == Double(correct) / 24)
        #expect(result["top5"] as? Double == 1)
        #expect(abs(try #require(result["loss"] as? Double) - loss / 24) < 1e-5)
        #expect(result["confusion"] as? [[Int]] == confusion)
        let table = try #require(result["classes"] as? [[String: Any]])
        #expect(table.map { $0["label"] as? String } == ["ant", "bee", "cicada", "dragonfly", "earwig"])
        #expect(table.map { $0["count"] as? Int } == [8, 0, 8, 0, 8])
    }

    /// Sigmoid changes the loss and no order.
    @Test func activationsAreChosen() throws {
        let (softmax, sigmoid) = (try result(), try result("--activation", "sigmoid"))
        #expect(softmax["correct"] as? Int == sigmoid["correct"] as? Int)
        #expect(softmax["loss"] as? Double != sigmoid["loss"] as? Double)
        #expect(try evaluate("--activation", "none").status == 64)
    }

    /// float32 is the report's own and agrees with itself; the others are near it, each as far as `--precision` has it.
    @Test func precisionsAreCompared() throws {
        let correct = try result()["correct"] as? Int
        let result = try result("--compare-precision")
        #expect(result["count"] as? Int == 24)
        let rows = try #require(result["precisions"] as? [[String: Any]])
        #expect(rows.map { $0["precision"] as? String } == ["float32", "bfloat16", "int8"])
        #expect(rows[0]["correct"] as? Int == correct && rows[0]["same_top1"] as? Int == 24)
        #expect(rows[0]["largest_difference"] as? Double == 0)
        for row in rows.dropFirst() {
            let largest = try #require(row["largest_difference"] as? Double)
            let mean = try #require(row["mean_difference"] as? Double)
            #expect(largest > mean && mean > 0 && largest < 0.3)
            let alone = try self.result("--precision", try #require(row["precision"] as? String))
            #expect(
                row["correct"] as? Int == alone["correct"] as? Int && row["loss"] as? Double == alone["loss"] as? Double
            )
        }
        let text = try evaluate("--compare-precision")
        #expect(
            text.lines.map { $0.split(separator: " ").first } == ["data:", "precision", "float32", "bfloat16", "int8"])
        #expect(try evaluate("--compare-precision", "--precision", "int8").status == 64)
        #expect(try evaluate("--compare-precision", "--predictions", "answers.csv").status == 64)
    }

    @Test func everyPredictionIsATableLine() throws {
        let result = try result("--predictions", "answers.csv")
        let lines = String(decoding: try scratch.read("answers.csv"), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 25 && lines[0] == "path,label,prediction,probability")
        let correct = lines.dropFirst().map { $0.split(separator: ",") }.filter { $0[1] == $0[2] }
        #expect(correct.count == result["correct"] as? Int)
        #expect(lines[1].hasPrefix("data/ant/0.png,ant,"))
        #expect(try evaluate("--predictions", "none/answers.csv").status == 73)
    }

    @Test func textHasTheSameNumbers() throws {
        let correct = try #require(result()["correct"] as? Int)
        let outcome = try evaluate()
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        #expect(outcome.output.contains("\(correct) of 24, 95 % interval "))
        #expect(outcome.output.contains("true \\ predicted"))
        #expect(outcome.lines[0] == "data: 24 images, \(shownClasses(outcome)) classes")
    }

    private func shownClasses(_ outcome: Vit.Outcome) -> Int {
        let first = outcome.lines.firstIndex { $0.hasPrefix("class ") } ?? 0
        return (outcome.lines.firstIndex { $0.hasPrefix("mean ") } ?? 0) - first - 1
    }

    @Test func threadsAndBatchesDoNotMatter() throws {
        let one = try evaluate("--format", "json", "--threads", "1", "--batch-size", "1")
        let other = try evaluate("--format", "json", "--threads", "3", "--batch-size", "7")
        #expect(one.output == other.output && !one.output.isEmpty)
    }

    @Test func theHeldOutPartDependsOnFractionAndSeed() throws {
        let first = try result("--validation-fraction", "0.4")
        let second = try result("--validation-fraction", "0.4", "--seed", "1")
        let rest = try result("--validation-fraction", "0.4", "--split", "train")
        #expect(first["part"] as? String == "validation" && rest["part"] as? String == "training")
        let (held, kept) = (try #require(first["count"] as? Int), try #require(rest["count"] as? Int))
        #expect(held > 0 && kept > 0 && held + kept == 24)
        #expect(first["loss"] as? Double != second["loss"] as? Double)
    }

    @Test func unreadableImagesDoNotCount() throws {
        let sound = try evaluate("--format", "json").output
        try scratch.write("nonsense", to: "data/ant/bad.png")
        let outcome = try evaluate("--format", "json")
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("data/ant/bad.png: "))
        #expect(outcome.errors.contains("24 of 25 evaluated, 1 failed"))
        let end = "\"errors\": ["
        #expect(
            outcome.output.firstRange(of: end).map { outcome.output[..<$0.lowerBound] }
                == sound.firstRange(of: end).map { sound[..<$0.lowerBound] })
        let strict = try evaluate("--strict")
        #expect(strict.status == 65 && strict.output.isEmpty && strict.errorLines.count == 1)
    }

    @Test func nothingReadableIsAnError() throws {
        try scratch.write("nonsense", to: "bad/ant/bad.png")
        let outcome = try Vit.run(["evaluate", "bad", "--model", "hf-vit"], in: scratch)
        #expect(outcome.status == 65 && outcome.output.isEmpty)
        #expect(
            outcome.errors.contains("bad: none of the 1 images of the training part can be read"),
            "\(outcome.errors)")
    }

    @Test func classesThatTheModelDoesNotHave() throws {
        try scratch.writeImage("data/wasp/0.png")
        let outcome = try evaluate()
        #expect(outcome.status == 65)
        #expect(
            outcome.errors == """
                Error: data/wasp: "wasp" is not a class of the model; expected one of "ant", "bee", "cicada", \
                "dragonfly", "earwig"

                """)
    }

    @Test func classesWithoutNamesAreMatchedByNumber() throws {
        let model = Fixtures.checkpoint("jax/vit.npz")
        let outcome = try Vit.run(["evaluate", "data", "--model", model], in: scratch)
        #expect(outcome.status == 65)
        #expect(outcome.errors.contains("data: has 3 classes, and the model's 5 have no names"), "\(outcome.errors)")
        for name in ["bee", "dragonfly"] { try scratch.writeImage("data/\(name)/0.png", seed: 40) }
        #expect(try Vit.run(["evaluate", "data", "--model", model], in: scratch).status == 0)
        try scratch.write("ant\nbee\ncicada\nwasp\nearwig\n", to: "names.txt")
        let named = try Vit.run(["evaluate", "data", "--model", model, "--labels", "names.txt"], in: scratch)
        #expect(named.status == 65 && named.errors.contains("data/dragonfly: \"dragonfly\" is not a class"))
    }

    @Test func partsThatAreNotThere() throws {
        let outcome = try evaluate("--split", "test")
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains("data: has no test part, only training"), "\(outcome.errors)")
        #expect(try evaluate("--validation-fraction", "1").status == 64)
    }

    @Test func aModelWithoutHead() throws {
        let outcome = try Vit.run(["evaluate", "data", "--model", "hf-mae"], in: scratch)
        #expect(outcome.status == 65 && outcome.errorLines.count == 1, "\(outcome.errors)")
    }
}
