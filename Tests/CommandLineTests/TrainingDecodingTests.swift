import Foundation
import Testing

/// Damaged and large images in training: named, read on request, and recorded.
struct TrainingDecodingTests {
    private let scratch: Scratch
    private let options = [
        "--image-size", "16", "--patch-size", "4", "--width", "16", "--depth", "1", "--heads", "2", "--batch-size", "4",
    ]
    private static let commands = [["pretrain"], ["pretrain", "--method", "rotation"], ["finetune"]]
    private let damaged = ["train/a/0.png", "val/b/0.png"]

    init() throws {
        scratch = try Scratch()
        for (seed, folder) in ["train/a", "train/b", "val/a", "val/b"].enumerated() {
            for number in 0..<4 { try scratch.writeImage("data/\(folder)/\(number).png", seed: 4 * seed + number) }
        }
        for name in damaged { try scratch.write(try scratch.read("data/\(name)").dropLast(20), to: "data/\(name)") }
    }

    private func run(_ command: [String], _ arguments: String...) throws -> Vit.Outcome {
        let decoder =
            command == ["pretrain"] ? ["--decoder-width", "8", "--decoder-depth", "1", "--decoder-heads", "2"] : []
        return try Vit.run(
            [command[0], "data", "--output", "run"] + command.dropFirst() + options + decoder + arguments, in: scratch)
    }

    private func count(_ text: String, in outcome: Vit.Outcome) -> Int { outcome.errorLines.count { $0 == text } }

    @Test(arguments: commands) func damagedImagesAreNamedAndReadOnRequest(command: [String]) throws {
        let damage = "the PNG data end before the image does"
        let strict = try run(command, "--epochs", "2")
        #expect(strict.status == 1, "\(strict.errors)")
        for name in damaged {
            #expect(
                count("\(name): \(damage); --lenient reads it as far as it goes", in: strict) == 1, "\(strict.errors)")
        }
        // Each once, whether its pixels are kept or decoded in every epoch.
        for memory in ["1M", "0"] {
            try? FileManager.default.removeItem(atPath: scratch.path("run"))
            let lenient = try run(command, "--lenient", "--cache-memory", memory, "--epochs", "2")
            #expect(lenient.status == 0, "\(lenient.errors)")
            for name in damaged {
                #expect(
                    count("\(name): \(damage); it is read as far as it goes", in: lenient) == 1, "\(lenient.errors)")
            }
        }
    }

    @Test func whatIsReadIsRecordedAndKeptOnResuming() throws {
        let command = ["finetune"]
        #expect(try run(command, "--epochs", "1", "--lenient", "--max-pixels", "391").status == 0)
        let settings = String(decoding: try scratch.read("run/config.json"), as: UTF8.self)
        #expect(settings.contains("\"lenient\": true") && settings.contains("\"max_pixels\": 391"), "\(settings)")
        let changes = [
            ("--no-lenient", "--lenient true, not false"), ("--max-pixels=400", "--max-pixels 391, not 400"),
        ]
        for (option, words) in changes {
            let refused = try run(command, "--resume", "--epochs", "2", option)
            #expect(refused.status == 64 && refused.errors.contains("the run began with \(words)"), "\(refused.errors)")
        }
        let resumed = try run(command, "--resume", "--epochs", "2")
        #expect(resumed.status == 0 && resumed.errors.contains("it is read as far as it goes"), "\(resumed.errors)")
        // A run of an earlier version records neither.
        let old = settings.split(separator: "\n").filter {
            !$0.contains("\"lenient\":") && !$0.contains("\"max_pixels\":")
        }
        try scratch.write(old.joined(separator: "\n"), to: "run/config.json")
        let older = try run(command, "--resume", "--epochs", "3", "--lenient")
        #expect(older.status == 64 && older.errors.contains("--lenient false, not true"), "\(older.errors)")
        #expect(try run(command, "--resume", "--epochs", "3").status == 1)
    }

    @Test func largeImagesAreNamedWithTheirOption() throws {
        #expect(try run(["finetune"], "--epochs", "1", "--max-pixels", "0").status == 64)
        let outcome = try run(["finetune"], "--epochs", "1", "--max-pixels", "390")
        #expect(outcome.status == 65, "\(outcome.errors)")
        #expect(
            outcome.errors.contains("more than the limit of 390; --max-pixels sets another limit"), "\(outcome.errors)")
    }
}
