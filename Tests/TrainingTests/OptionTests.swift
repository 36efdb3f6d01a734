import Foundation
import Models
import Support
import Testing

import Training

/// Each option is declared once; the library, the command line, `config.json` and the resume go by that.
@Suite struct OptionTests {
    @Test func whatIsAskedForIsToldFromDefaults() {
        var options = MAEOptions(data: "photos")
        #expect(options.data == "photos" && options.epochs == nil && options.batchSize == nil)
        options.epochs = 400
        options.batchSize = 64
        options.maskRatio = 0.6
        options.width = 96
        #expect(options.epochs == 400 && options.batchSize == 64 && options.maskRatio == 0.6 && options.width == 96)
        options.maskRatio = nil
        #expect(options.maskRatio == nil && options.heads == nil)
    }

    @Test func namesOfTheCommandLineLeadToTheSameSettings() {
        var options = ClassificationOptions(data: "photos")
        for (name, text) in [
            ("epochs", "12.5"), ("image-size", "64x96"), ("pool", "mean"), ("crop-scale", "0.3"), ("flip", "false"),
            ("class-weights", "balanced"), ("cache-memory", "512M"), ("seed", "18446744073709551615"),
        ] {
            let isTaken = options.set(name, to: text)
            #expect(isTaken, "\(name)")
        }
        #expect(options.epochs == 12.5 && options.imageSize == Size(height: 64, width: 96))
        #expect(options.pooling == .meanPatches && options.cropScale == 0.3 && options.flips == false)
        #expect(options.classWeights == .balanced && options.cacheMemory == 512 << 20 && options.seed == .max)
        for (name, text) in [
            ("epochs", "many"), ("image-size", "64x"), ("image-size", "1x2x3"), ("pool", "token"), ("seed", "-1"),
            ("cache-memory", "9000000000G"), ("mask-ratio", "0.5"), ("hidden_width", "x"),
        ] {
            let isTaken = options.set(name, to: text)
            #expect(!isTaken, "\(name)")
        }
    }

    @Test func declarationsAreUniqueAndStateDefaults() {
        for method in TrainingMethods.pretraining + TrainingMethods.finetuning {
            let options = method.optionDescriptions
            #expect(Set(options.map(\.name)).count == options.count, "\(method.name)")
            #expect(options.allSatisfy { $0.help.hasSuffix(".") })
        }
        func standard(_ name: String, _ method: any TrainingMethod.Type) -> String? {
            method.optionDescriptions.first { $0.name == name }?.standard
        }
        #expect(standard("blr", MAE.self) == "none" && standard("blr", Classification.self) == "0.0005")
        #expect(standard("epochs", MAE.self) == "800" && standard("epochs", Classification.self) == "100")
        #expect(standard("blr", Rotation.self) == "0.0005" && standard("epochs", Rotation.self) == "100")
        #expect(standard("cache-memory", MAE.self) == "1G" && standard("strict", MAE.self) == nil)
    }

    @Test func epochsAndStepsExcludeEachOther() throws {
        var run = try TinyRun()
        run.options.epochs = 2
        let error = #expect(throws: TrainingError.self) { try run.train() }
        #expect(error?.kind == .usage && error?.description.contains("--epochs and --steps") == true)
    }

    @Test func sizesBeyondReasonAreRefusedBeforeAnythingIsComputedFromThem() throws {
        for name in ["width", "decoder-width", "batch-size", "image-size", "patch-size"] {
            var run = try TinyRun()
            let isTaken = run.options.set(name, to: "\(Int.max)")
            #expect(isTaken)
            let error = #expect(throws: TrainingError.self) { try run.train() }
            #expect(error?.kind == .usage && error?.description.hasPrefix("--\(name) takes ") == true, "\(name)")
        }
    }

    /// Their `config.json` does not name the method.
    @Test func runsOfEarlierVersionsResume() throws {
        let (whole, broken) = (try TinyRun(), try TinyRun())
        try whole.train()
        try broken.train(stop: 7)
        let path = broken.output + "/config.json"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let old = text.replacing("  \"method\": \"mae\",\n", with: "")
        #expect(old != text)
        try Files.write(old, to: path)
        try broken.train(resumes: true)
        #expect(try broken.weights() == whole.weights())
    }

    @Test func anotherMethodsRunIsNotResumed() throws {
        let pretraining = try TinyRun()
        try pretraining.train(stop: 3)
        var run = try TinyClassRun()
        run.options.steps = 2
        let error = #expect(throws: TrainingError.self) {
            try TrainingRun.open(run.options, output: pretraining.output, resumes: true, observer: RunObserver())
        }
        #expect(error?.kind == .usage && error?.description.contains("method is mae, not classification") == true)
    }

    @Test func damagedSettingsAreRefused() throws {
        let run = try TinyRun()
        try run.train(stop: 3)
        let path = run.output + "/config.json"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        for (old, new) in [
            ("\"width\": 16", "\"width\": 3"), ("\"depth\": 1", "\"depth\": \"1\""), ("0.485", "0.485, 1"),
        ] {
            try Files.write(text.replacing(old, with: new), to: path)
            let error = #expect(throws: TrainingError.self) { try run.train(resumes: true) }
            #expect(error?.kind == .malformed, "\(new)")
        }
    }
}
