import Foundation
import Testing

/// `vit finetune` from outside: its files, its exit codes, and what it says of data that are not right.
struct FinetuneTests {
    private let scratch: Scratch
    private let options = [
        "--image-size", "16", "--patch-size", "4", "--width", "16", "--depth", "1", "--heads", "2", "--batch-size", "4",
        "--checkpoint-every", "3", "--steps", "6",
    ]

    init() throws {
        scratch = try Scratch()
        for seed in 0..<8 {
            try scratch.writeImage("data/cat/\(seed).png", seed: seed)
            try scratch.writeImage("data/dog/\(seed).png", seed: 20 + seed)
        }
    }

    private func finetune(_ data: String = "data", _ arguments: String...) throws -> Vit.Outcome {
        try Vit.run(["finetune", data, "--output", "run"] + options + arguments, in: scratch)
    }

    @Test func aRunLeavesWhatTheContractSays() throws {
        let outcome = try finetune("data", "--validation-fraction", "0.3", "--log-every", "2", "--ema", "0.9")
        #expect(outcome.status == 0 && outcome.output.isEmpty)
        #expect(outcome.errors.contains("step 6 of 6") && outcome.errors.contains("held-out images correct"))
        let files = try FileManager.default.contentsOfDirectory(atPath: scratch.path("run")).sorted().filter {
            $0 != ".lock"
        }
        let expected = [
            "checkpoints", "config.json", "evaluation.json", "metrics.jsonl", "mistakes", "model", "report.html",
            "tensorboard",
        ]
        #expect(files == expected)
        let checkpoint = try FileManager.default.contentsOfDirectory(atPath: scratch.path("run/checkpoints/6")).sorted()
        #expect(checkpoint == ["config.json", "model.safetensors", "optimizer.safetensors", "state.json"])
        let model = try Vit.run(["classify", "data/cat/1.png", "--model", "run/model"], in: scratch)
        #expect(model.status == 0 && model.output.contains("dog") && model.output.contains("cat"))
        let configuration = String(decoding: try scratch.read("run/model/config.json"), as: UTF8.self)
        #expect(configuration.contains("ViTForImageClassification"))
        #expect(FileManager.default.fileExists(atPath: scratch.path("run/model/preprocessor_config.json")))
    }

    /// The command that began a run stays with it, whoever resumes it.
    @Test func theReportNamesItsCommand() throws {
        try FileManager.default.moveItem(atPath: scratch.path("data"), toPath: scratch.path("<b>'s data"))
        #expect(try finetune("<b>'s data", "--log-every", "2").status == 0)
        #expect(try finetune("<b>'s data", "--resume", "--quiet").status == 0)
        let page = String(decoding: try scratch.read("run/report.html"), as: UTF8.self)
        let command = "<code>vit finetune '&lt;b&gt;'\\''s data' --output run --image-size 16 "
        #expect(page.contains(command) && page.contains("--steps 6 --log-every 2</code>") && !page.contains("<b>'s"))
    }

    /// transformers' processors would make RGB of the images of other models.
    @Test(arguments: [1, 3, 4]) func onlyModelsOfColourGetRGB(channels: Int) throws {
        #expect(try finetune("data", "--channels", "\(channels)", "--quiet").status == 0)
        let processor = String(decoding: try scratch.read("run/model/preprocessor_config.json"), as: UTF8.self)
        #expect(processor.contains("\"do_convert_rgb\": false") == (channels != 3))
    }

    @Test func wholePicturesAreFittedAsTheCheckpointHasIt() throws {
        func preprocessor(_ run: String) throws -> String {
            String(decoding: try scratch.read("\(run)/model/preprocessor_config.json"), as: UTF8.self)
        }
        func goOn(_ output: String, _ arguments: String...) throws -> Int32 {
            let common = ["--init", "run/model", "--batch-size", "4", "--steps", "2", "--augment", "none"]
            return try Vit.run(["finetune", "data", "--output", output] + common + arguments, in: scratch).status
        }
        #expect(try finetune("data", "--fit", "squash").status == 0)
        #expect(try goOn("same") == 0 && goOn("other", "--fit", "crop") == 0)
        #expect(try preprocessor("run") == preprocessor("same"))
        #expect(try !preprocessor("run").contains("shortest_edge"))
        #expect(try preprocessor("other").contains("shortest_edge"))
    }

    @Test func aPlanTrainsNothing() throws {
        let outcome = try finetune("data", "--accumulate", "2", "--freeze", "1", "--plan")
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("effective batch   8 (4 × 2)"))
        #expect(outcome.output.contains("1 of its blocks frozen"))
        #expect(outcome.output.contains("warning: Nothing is held out"))
        #expect(try scratch.names == ["data"])
    }

    @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
    func aSignalLeavesACheckpoint(number: Int32, status: Int32) throws {
        let run = try Vit.Run(
            ["finetune", "data", "--output", "run"] + options + ["--steps", "100000000", "--checkpoint-every", "3"],
            in: scratch)
        scratch.waitForCheckpoint(of: run)
        kill(run.process.processIdentifier, number)
        let outcome = try run.wait()
        #expect(outcome.status == status && outcome.errors.contains("continue with --resume"))
    }

    @Test func oneClassIsNoTask() throws {
        try FileManager.default.removeItem(atPath: scratch.path("data/dog"))
        let outcome = try finetune()
        #expect(outcome.status == 65)
        #expect(
            outcome.errors
                == "Error: data: has one class only, \"cat\"; expected at least two class folders or labels\n")
    }

    @Test func everyClassNeedsAnImage() throws {
        try FileManager.default.createDirectory(atPath: scratch.path("data/emu"), withIntermediateDirectories: true)
        let outcome = try finetune()
        #expect(outcome.status == 65)
        #expect(outcome.errors == "Error: data/emu: holds no images; every class needs at least one\n")
    }

    @Test func labelsOfATableExistAmongThoseOfTheTraining() throws {
        let rows = (0..<8).flatMap { ["cat/\($0).png,cat,train", "dog/\($0).png,dog,\($0 < 6 ? "train" : "val")"] }
        try scratch.write((["path,label,split"] + rows).joined(separator: "\n"), to: "data/all.csv")
        #expect(try finetune("data/all.csv").status == 0)
        try FileManager.default.removeItem(atPath: scratch.path("run"))
        let wrong = rows.map { $0.replacingOccurrences(of: "7.png,dog,val", with: "7.png,dgo,val") }
        try scratch.write((["path,label,split"] + wrong).joined(separator: "\n"), to: "data/all.csv")
        let outcome = try finetune("data/all.csv")
        #expect(outcome.status == 65)
        #expect(
            outcome.errors
                == "Error: data/all.csv, line 17: \"dgo\" is a class of the validation part only; expected the classes of "
                + "the training part, \"cat\", \"dog\"\n")
    }

    @Test func validationHasTheClassesOfTheTraining() throws {
        for seed in 0..<8 {
            try scratch.writeImage("split/train/cat/\(seed).png", seed: seed)
            try scratch.writeImage("split/train/dog/\(seed).png", seed: seed)
            try scratch.writeImage("split/val/cats/\(seed).png", seed: seed)
        }
        let outcome = try finetune("split")
        #expect(outcome.status == 65)
        #expect(
            outcome.errors
                == "Error: split/val/cats: \"cats\" is a class of the validation part only; expected the classes of the "
                + "training part, \"cat\", \"dog\"\n")
    }

    @Test func aStepOfFewImagesTakesAllOfThem() throws {
        let arguments = ["--batch-size", "17", "--accumulate", "2", "--steps", "2"]
        let outcome = try Vit.run(["finetune", "data", "--output", "run"] + options + arguments, in: scratch)
        #expect(outcome.status == 0)
        #expect(
            outcome.errors.contains(
                "data: has 16 images to train on, fewer than the 34 of a step; a step takes 16\n"), "\(outcome.errors)")
        let again = try Vit.run(
            ["finetune", "data", "--output", "run"] + options + arguments + ["--resume"], in: scratch)
        #expect(again.status == 0, "\(again.errors)")
    }

    @Test func aRunStandsForItsResult() throws {
        #expect(try finetune("data", "--steps", "3").status == 0)
        func classify(_ model: String) throws -> String {
            try Vit.run(["classify", "data/cat/1.png", "--model", model], in: scratch).output
        }
        let output = try classify("run/model")
        #expect(try classify("run") == output && classify("run/checkpoints/3") == output && !output.isEmpty)
        try FileManager.default.removeItem(atPath: scratch.path("run/model"))
        #expect(try classify("run") == output)
        #expect(try finetune("data", "--init", "run", "--output", "next", "--steps", "1").status == 0)
    }

    @Test func aRunSaysWhatItIsAndHowItGoes() throws {
        let outcome = try finetune("data", "--validation-fraction", "0.3", "--class-weights", "balanced")
        #expect(outcome.status == 0, "\(outcome.errors)")
        for part in [
            "effective batch   4\n", "warning: ", "files             run/report.html", "held-out accuracy ",
            " so far, ", "balanced-accuracy ",
        ] {
            #expect(outcome.errors.contains(part), "\(part): \(outcome.errors)")
        }
        let configuration = String(decoding: try scratch.read("run/config.json"), as: UTF8.self)
        #expect(configuration.contains(#""best_by": "balanced-accuracy""#))
        // Runs of earlier versions chose by the accuracy, and do not say so.
        let old = configuration.replacingOccurrences(of: #""best_by": "balanced-accuracy","#, with: "")
        try scratch.write(
            old.replacingOccurrences(of: #""holdout_beside_test": true,"#, with: ""), to: "run/config.json")
        #expect(try finetune("data", "--resume", "--class-weights", "balanced").status == 0)
        let plain = try finetune("data", "--output", "plain", "--best-by", "loss", "--validation-fraction", "0.3")
        #expect(plain.status == 0 && !plain.errors.contains("balanced-accuracy"), "\(plain.errors)")
    }

    @Test func minutesMakeSteps() throws {
        let shape = Array(options.dropLast(2))
        let outcome = try Vit.run(
            ["finetune", "data", "--output", "run", "--minutes", "0.02"] + shape, in: scratch)
        #expect(outcome.status == 0 && outcome.errors.contains("0.0 minutes are "), "\(outcome.errors)")
        let again = ["finetune", "data", "--output", "run", "--minutes", "9", "--resume"] + shape
        #expect(try Vit.run(again, in: scratch).status == 0)
        let both = try finetune("data", "--minutes", "3", "--output", "other")
        #expect(both.status == 64 && both.errors.contains("--steps and --minutes exclude each other"))
    }

    @Test func aTestPartIsLeftForEvaluation() throws {
        for seed in 0..<12 {
            for name in ["cat", "dog"] {
                try scratch.writeImage("split/train/\(name)/\(seed).png", seed: seed)
                try scratch.writeImage("split/test/\(name)/\(seed).png", seed: seed)
            }
        }
        let outcome = try finetune("split", "--validation-fraction", "0.3")
        #expect(outcome.status == 0 && outcome.errors.contains("held-out images correct"), "\(outcome.errors)")
        #expect(outcome.errors.contains("are held out, and the test part stays for evaluation"))
    }

    @Test func aModelIsMeasuredOnWhatItsRunHeldOut() throws {
        #expect(try finetune("data", "--validation-fraction", "0.3", "--seed", "5").status == 0)
        let heldOut = try evaluation("run")
        #expect(heldOut.errors.contains("data: split as ") && heldOut.errors.contains("/run was trained\n"))
        #expect(heldOut.output.contains("images of the validation part"), "\(heldOut.output)")
        for model in ["run/model", "run/checkpoints/6", "run/model/model.safetensors"] {
            #expect(try evaluation(model).output == heldOut.output, "\(model)")
        }
        // The same options say the same, and are no news.
        let asked = try evaluation("run", ["--validation-fraction", "0.3", "--seed", "5"])
        #expect(asked.output == heldOut.output && asked.errors.isEmpty, "\(asked.errors)")
        for arguments in [["--validation-fraction", "0"], ["--split", "train"]] {
            let outcome = try evaluation("run", arguments)
            #expect(outcome.errors.contains("images measured were trained on by "), "\(outcome.errors)")
        }
        let elsewhere = try Vit.run(
            ["evaluate", scratch.path("data"), "--model", scratch.path("run")], in: Scratch())
        #expect(elsewhere.errors.contains("split as "), "\(elsewhere.errors)")
        let probe = try Vit.run(["probe", "data", "--model", "run", "--method", "knn", "--k", "3"], in: scratch)
        #expect(probe.status == 0 && probe.errors.contains("split as "), "\(probe.errors)")
    }

    private func evaluation(_ model: String, _ arguments: [String] = []) throws -> Vit.Outcome {
        let outcome = try Vit.run(["evaluate", "data", "--model", model] + arguments, in: scratch)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return outcome
    }

    @Test func endsAsTheContractSays() throws {
        #expect(try finetune("data", "--drop-path", "1").status == 64)
        #expect(try finetune("data", "--rand-augment", "strong").status == 64)
        let distillation = try finetune("data", "--distillation", "soft")
        #expect(
            distillation.status == 64 && distillation.errors == "Error: --distillation needs a --teacher to distill\n")
        #expect(try finetune("data", "--freeze", "2").status == 64)
        #expect(try finetune("data", "--init", "nowhere").status == 66)
        #expect(try finetune("data", "--class-weights", "nowhere.csv").status == 66)
        #expect(try finetune("nowhere").status == 66)
        #expect(try scratch.names == ["data"])
        #expect(try finetune("data", "--lr", "1e30", "--warmup-epochs", "0", "--mixup", "0").status == 65)
        #expect(try finetune().status == 73)
    }

    @Test func helpStatesItsOwnDefaults() throws {
        let help = try Vit.run(["finetune", "--help"], in: scratch).output.split(whereSeparator: \.isWhitespace)
            .joined(separator: " ")
        for part in [
            "Number of passes over the data. (default: 100)", "scaled with the batch size. (default: 0.0005)",
            "--min-lr <x> Learning rate at the end of the run. (default: 1e-06)", "--flip/--no-flip",
        ] {
            #expect(help.contains(part), "\(part)")
        }
        #expect(!help.contains("--mask-ratio") && !help.contains("0.00015") && !help.contains("--method"))
    }

    @Test func corruptPicturesAreNamedOnceAndCounted() throws {
        try scratch.write([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 1, 2], to: "data/cat/bad.png")
        let outcome = try finetune("data", "--steps", "12", "--quiet")
        #expect(outcome.status == 1)
        #expect(outcome.errorLines.count == 2 && outcome.errorLines[0].hasPrefix("cat/bad.png: "))
        #expect(FileManager.default.fileExists(atPath: scratch.path("run/model/config.json")))
    }

    @Test func corruptHeldOutPicturesAreNamedOnceAndDoNotCount() throws {
        for seed in 0..<8 {
            try scratch.writeImage("split/train/cat/\(seed).png", seed: seed)
            try scratch.writeImage("split/train/dog/\(seed).png", seed: seed)
        }
        try scratch.writeImage("split/val/cat/1.png")
        try scratch.write([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 1, 2], to: "split/val/cat/bad.png")
        let outcome = try finetune("split")
        #expect(outcome.status == 1)
        #expect(outcome.errors.components(separatedBy: "val/cat/bad.png").count == 2)
        #expect(outcome.errors.contains("of 1 held-out images correct"))
        #expect(try finetune("split", "--output", "strict", "--strict").status == 65)
    }
}
