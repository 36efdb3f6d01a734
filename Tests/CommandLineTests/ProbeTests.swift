import Foundation
import Imaging
import Testing

/// `vit probe` on images whose class is their colour.
struct ProbeTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        for (number, name) in ["dark", "light"].enumerated() {
            for index in 0..<14 {
                let pixels = (0..<16 * 16 * 3).map { UInt8(180 * number + (($0 * 7 + index * 5) % 40)) }
                let part = index < 9 ? "train" : "val"
                try scratch.write(
                    Image(width: 16, height: 16, channels: 3, pixels: pixels).encodedPNG(),
                    to: "data/\(part)/\(name)/\(index).png")
            }
        }
    }

    private func probe(_ method: String, _ arguments: String...) throws -> Vit.Outcome {
        try Vit.run(
            ["probe", "data", "--model", "hf-mae", "--epochs", "12", "--method", method] + arguments, in: scratch)
    }

    private func result(_ outcome: Vit.Outcome) throws -> [String: Any] {
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try #require(JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    }

    @Test func neighborsTellTheColours() throws {
        let result = try result(probe("knn", "--format", "json", "--k", "3,5"))
        #expect(result["counts"] as? [String: Int] == ["training": 18, "validation": 10])
        #expect(result["random"] as? Bool == false && result["pool"] as? String == "cls")
        let results = try #require(result["results"] as? [[String: Any]])
        #expect(results.map { $0["k"] as? Int } == [3, 5])
        #expect(results.allSatisfy { $0["top1"] as? Double == 1 })
        let text = try probe("knn")
        #expect(text.output.contains("10   100.00 %") && text.output.contains("18 training, 10 validation"))
    }

    @Test(arguments: ["sgd", "lars"]) func linearClassifiersTellTheColours(_ optimizer: String) throws {
        let outcome = try probe(
            "linear", "--format", "json", "--optimizer", optimizer, "--pool", "cls+mean", "--layer", "1",
            "--step-size", "6", "--blr", "0.5,2,20")
        let result = try result(outcome)
        let rates = try #require(result["results"] as? [[String: Any]])
        #expect(rates.map { $0["blr"] as? Double } == [0.5, 2, 20])
        let accuracies = rates.map { ($0["validation"] as? [String: Any])?["top1"] as? Double ?? 0 }
        #expect(result["best"] is [String: Any] && accuracies.max() == 1)
        let width = try #require(result["width"] as? Int)
        #expect(width % 2 == 0)
        let text = try probe("linear", "--optimizer", optimizer)
        #expect(text.lines.filter { $0.hasSuffix("best") }.count == 1)
    }

    @Test func randomWeightsAreOthersAndFollowTheSeed() throws {
        func output(_ arguments: String...) throws -> String {
            try Vit.run(
                ["probe", "data", "--model", "hf-mae", "--method", "linear", "--epochs", "3", "--warmup-epochs", "0"]
                    + arguments, in: scratch
            ).output
        }
        let trained = try output()
        let random = try output("--random")
        #expect(random.contains("random weights") && !trained.contains("random weights"))
        #expect(try output("--random", "--threads", "1") == random)
        #expect(try output("--random", "--seed", "1") != random)
        func table(_ text: String) -> Substring { text.firstRange(of: "\n\n").map { text[$0.upperBound...] } ?? "" }
        #expect(table(trained) != table(random))
    }

    @Test func theTestPartIsMeasuredWithTheRateThatTheValidationPartChose() throws {
        for name in ["dark", "light"] {
            for index in 0..<3 { try scratch.writeImage("data/test/\(name)/\(index).png", seed: index) }
        }
        let result = try result(probe("linear", "--format", "json"))
        #expect(result["part"] as? String == "test")
        let best = try #require(result["best"] as? [String: Any])
        #expect(best["validation"] != nil && best["test"] != nil)
        let neighbors = try self.result(probe("knn", "--format", "json"))
        #expect(neighbors["counts"] as? [String: Int] == ["training": 18, "test": 6])
    }

    /// Otherwise the result would be the best of many guesses at the images that it is reported on.
    @Test func theRateDoesNotDependOnTheImagesThatAreMeasured() throws {
        func best() throws -> Double? {
            let result = try result(probe("linear", "--format", "json", "--step-size", "6"))
            return (result["best"] as? [String: Any])?["blr"] as? Double
        }
        let rate = try best()
        for name in ["dark", "light"] {
            let other = name == "dark" ? "light" : "dark"
            for index in 9..<14 {
                // Images of the other class, under wrong names.
                let bytes = try scratch.read("data/train/\(other)/\(index - 9).png")
                try scratch.write(bytes, to: "data/val/\(name)/\(index).png")
            }
        }
        #expect(try best() == rate && rate != nil)
    }

    @Test func unreadableImagesAreLeftOut() throws {
        try scratch.write("nonsense", to: "data/train/dark/bad.png")
        let outcome = try probe("knn", "--format", "json")
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("data/train/dark/bad.png: "))
        #expect(outcome.errors.contains("28 of 29 embedded, 1 failed"))
        #expect(outcome.output.contains("\"training\": 18"))
        #expect(try probe("knn", "--strict").status == 65)
    }

    @Test func featuresAreKeptForTheNextCall() throws {
        let plain = try probe("knn", "--format", "json")
        let first = try probe("knn", "--format", "json", "--features", "kept/features.npy")
        #expect(first.status == 0 && first.output == plain.output, "\(first.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path("kept")).count == 3)
        #expect(try probe("knn", "--format", "json", "--features", "kept/features.npy").output == plain.output)
        let linear = try probe("linear", "--features", "kept/features.npy")
        #expect(try linear.status == 0 && linear.output == probe("linear").output)
        // An index like any other.
        let found = try Vit.run(["search", "kept/features.npy", "0", "--top-k", "1"], in: scratch)
        #expect(found.status == 0 && found.output.contains("data/train/dark/"), "\(found.errors)")
        // What the file holds is what is used: rows that tell no colours apart.
        var bytes = try scratch.read("kept/features.npy")
        let (head, rows) = (128, 28)
        let width = (bytes.count - head) / rows
        for row in 0..<rows {
            for place in 0..<width {
                bytes[head + row * width + place] = place % 4 == 3 && place / 4 % 2 == row % 2 ? 63 : 0
            }
        }
        try scratch.write(bytes, to: "kept/features.npy")
        let other = try probe("knn", "--format", "json", "--k", "9", "--features", "kept/features.npy")
        #expect(other.status == 0 && !other.output.contains("\"top1\": 1.0"), "\(other.output)\(other.errors)")
    }

    @Test func keptFeaturesFollowTheImagesAndTheModel() throws {
        #expect(try probe("knn", "--features", "f.npy").status == 0)
        for index in 9..<14 {
            try scratch.write(try scratch.read("data/val/dark/\(index).png"), to: "data/val/light/\(index).png")
        }
        let (changed, computed) = (try probe("knn", "--features", "f.npy"), try probe("knn").output)
        #expect(
            changed.status == 0 && changed.output == computed && changed.output.contains("50.00 %"))
        let changes = [
            (["--pool", "mean"], "--pool"), (["--layer", "1"], "--layer"), (["--random"], "model"),
            (["--resize", "16x16", "--mean", "0.1"], "preprocessing"),
        ]
        for (options, words) in changes {
            let refused = try Vit.run(
                ["probe", "data", "--model", "hf-mae", "--method", "knn", "--features", "f.npy"] + options, in: scratch)
            let text = "f.npy: was made with another \(words); use the same settings, or name another file\n"
            #expect(refused.status == 64 && refused.errors.hasSuffix(text), "\(refused.errors)")
        }
        #expect(try probe("knn", "--features", "f.csv").status == 64)
    }

    @Test func partsThatAreMissing() throws {
        let outcome = try Vit.run(["probe", "data/train", "--model", "hf-mae", "--method", "knn"], in: scratch)
        #expect(outcome.status == 64 && outcome.errors.contains("--validation-fraction"), "\(outcome.errors)")
        let split = try Vit.run(
            ["probe", "data/train", "--model", "hf-mae", "--method", "knn", "--validation-fraction", "0.4"],
            in: scratch)
        #expect(split.status == 0, "\(split.errors)")
    }

    @Test(arguments: [
        ["knn", "--k", "0"], ["knn", "--k", "a,b"], ["knn", "--temperature", "0"], ["knn", "--pool", "patches"],
        ["knn", "--split", "train"], ["linear", "--blr", "0"], ["linear", "--epochs", "0"],
        ["linear", "--warmup-epochs", "13"], ["other"], ["knn", "--layer", "9"],
    ])
    func optionsThatMakeNoSense(_ arguments: [String]) throws {
        let outcome = try Vit.run(
            ["probe", "data", "--model", "hf-mae", "--epochs", "12", "--method"] + arguments, in: scratch)
        #expect(outcome.status == 64 && outcome.output.isEmpty, "\(outcome.errors)")
    }
}
