import Foundation
import Imaging
import Models
import Testing

import Training
import Support

@Suite struct ResultTests {
    @Test(arguments: MAEConfiguration.Target.allCases)
    func theResultIsACheckpoint(target: MAEConfiguration.Target) throws {
        var run = try TinyRun()
        run.options.target = target
        run.options.steps = 3
        try run.train()
        let checkpoint = try Checkpoint.open(run.output + "/model")
        let givesPixels = target == .normalized || target == .pixels
        #expect((checkpoint.configuration is MAEConfiguration) == givesPixels)
        #expect(checkpoint.configuration.width == 16)
        #expect(checkpoint.preprocessing.mean == [0.485, 0.456, 0.406])
        let archive = try TensorArchive.open(run.output + "/checkpoints/3/model.safetensors")
        for shape in checkpoint.parameterShapes {
            #expect(try checkpoint.tensor(shape.name).values == archive.tensor(shape.name).values, "\(shape.name)")
        }
    }

    @Test func aRunBeginsWithTheWeightsOfAnother() throws {
        let first = try TinyRun()
        try first.train()
        var second = try TinyRun()
        second.options.initial = first.output + "/model"
        (second.options.width, second.options.heads) = (nil, nil)
        second.options.steps = 1
        second.options.rate = 0
        second.options.weightDecay = 0
        try second.train()
        #expect(try second.weights() == first.weights())
    }

    @Test func theReportNeedsNothingElse() throws {
        let run = try TinyRun()
        try run.train()
        let page = try String(contentsOfFile: run.output + "/report.html", encoding: .utf8)
        #expect(!page.contains("http") && !page.contains("src=\"/") && page.contains("data:image/jpeg;base64,"))
        #expect(page.components(separatedBy: "<svg").count == 4)
        // Originals, masks, and three checkpoints.
        #expect(page.components(separatedBy: "<figure>").count == 6)
        #expect(page.contains("which the model does not see"))
    }

    @Test func theFirstTheMiddleAndTheLastReconstructionAreShown() throws {
        var run = try TinyRun()
        run.options.checkpointEvery = 5
        try run.train()
        let page = try String(contentsOfFile: run.output + "/report.html", encoding: .utf8)
        let steps = (1...6).filter { page.contains("<figcaption>step \(5 * $0)</figcaption>") }
        #expect(steps == [1, 4, 6])
    }

    @Test func settingsSurviveTheirFile() throws {
        var run = try TinyRun()
        run.options.seed = .max
        run.options.sampling = .block
        let settings = try run.options.resolve().settings
        let text = MAE.json(settings).text()
        #expect(try MAE.settings(JSON.parse(Array(text.utf8)), path: "config.json") == settings)
        #expect(throws: TrainingError.self) { try MAE.settings(.object([]), path: "config.json") }
    }

    @Test func picturesShowVisiblePatchesAsTheyAre() throws {
        let run = try TinyRun()
        let settings = try run.options.resolve().settings
        let image = Image(
            width: 16, height: 16, channels: 3, pixels: (0..<768).map { UInt8(($0 * 37) % 256) })
        let painter = settings.painter
        let removed = (0..<16).map { Float($0 % 2) }
        // A prediction of zeros is the patch's mean.
        let completed = painter.completed(image, prediction: [Float](repeating: 0, count: 768), where: removed)
        let masked = painter.masked(image, removed: removed)
        for y in 0..<16 {
            for x in 0..<16 {
                let place = (y * 16 + x) * 3
                if removed[y / 4 * 4 + x / 4] == 0 {
                    #expect(completed.pixels[place] == image.pixels[place])
                    #expect(masked.pixels[place] == image.pixels[place])
                } else {
                    #expect(masked.pixels[place] == 128)
                    #expect(completed.pixels[place] == completed.pixels[(y / 4 * 4 * 16 + x / 4 * 4) * 3])
                }
            }
        }
    }

    @Test func channelsAreThoseOfThePictures() throws {
        func channels(_ count: Int) -> Int? {
            let pixels = [UInt8](repeating: 9, count: 4 * count)
            return ImageChannels.channels(
                of: Image(width: 2, height: 2, channels: count, pixels: pixels).encodedPNG())
        }
        #expect((1...4).map { channels($0) } == [1, 2, 3, 4])
        let grey = Image(width: 2, height: 2, channels: 1, pixels: [1, 2, 3, 4])
        #expect(ImageChannels.channels(of: grey.encodedJPEG(quality: 90)) == 1)
        let colour = Image(width: 1, height: 1, channels: 3, pixels: [1, 2, 3])
        #expect(ImageChannels.channels(of: colour.encodedJPEG(quality: 90)) == 3)
        #expect(ImageChannels.channels(of: [1, 2, 3]) == nil)
        #expect(ImageChannels.channels(of: [0xFF, 0xD8, 0xFF, 0xE0, 0, 0, 0, 0]) == nil)
    }

    @Test func base64IsThatOfItsStandard() {
        let expected = ["": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg==", "fooba": "Zm9vYmE="]
        for (plain, coded) in expected { #expect(base64(Array(plain.utf8)) == coded) }
    }

    @Test func numbersHaveAsManyDigitsAsAskedFor() {
        #expect(fixed(1.005, 1) == "1.0" && fixed(-0.04, 1) == "0.0" && fixed(-2.5, 2) == "-2.50")
        #expect(fixed(12.5, 0) == "13" && fixed(.infinity, 2) == "inf")
    }
}
