import Compute
import Foundation
import Imaging
import Layers
import Models
import Support
import Testing

import Training

@Suite struct FinetuningTests {
    @Test func coloursAreLearned() throws {
        var run = try TinyClassRun(imagesPerClass: 20)
        run.options.steps = 150
        (run.options.randAugment, run.options.mixup, run.options.cutmix) = ("none", 0, 0)
        (run.options.erasing, run.options.cropScale) = (0, 0.8)
        let notes = Notes()
        try run.train(notes: notes)
        let accuracy = try MetricsLog.read("\(run.output)/metrics.jsonl").compactMap { line in
            line.values.first { $0.name == "validation_accuracy" }?.value
        }
        #expect(accuracy.max() == 1)
        #expect(notes.sentences.contains { $0.contains("100.00 % of") && $0.contains("best so far") })
        let model = try Checkpoint.open(run.output + "/model")
        #expect(model.labels == TinyClassRun.classes && model.layout == .huggingFace)
        // The best model is the result, and its checkpoint is kept beside the last ones.
        let evaluation = try JSON.file(run.output + "/evaluation.json")
        #expect(evaluation["accuracy"]?.double == 1)
        let best = try #require(evaluation["step"]?.integer)
        #expect(try RunDirectory(path: run.output).checkpointSteps.contains(best))
    }

    /// Mixup, cutmix, RandAugment, erasing, drop path, patch dropout, an average, clipping and accumulation all resume.
    @Test(arguments: [1, 5, 7, 12])
    func anInterruptedRunEndsInTheSameBits(stop: Int) throws {
        func run() throws -> TinyClassRun {
            var run = try TinyClassRun()
            (run.options.averageDecay, run.options.clip, run.options.accumulate) = (0.9, 0.5, 2)
            (run.options.dropPath, run.options.patchDropout) = (0.3, 0.25)
            run.options.batchSize = 3
            return run
        }
        let (whole, broken) = (try run(), try run())
        try whole.train(threads: 1)
        #expect(try !broken.train(stop: stop).isComplete)
        #expect(try broken.train(resumes: true).isComplete)
        #expect(try broken.weights() == whole.weights())
    }

    /// Whichever is the best: not the last one unless that is it.
    @Test func aResultThatIsGoneIsThatOfTheBestCheckpoint() throws {
        let run = try TinyClassRun()
        try run.train()
        let weights = try run.weights()
        try Files.remove("\(run.output)/model")
        try run.train(resumes: true)
        #expect(try run.weights() == weights)
        let place = URL(filePath: "\(run.output)/checkpoints/18/state.json")
        var state = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: place)) as? [String: Any])
        var best = try #require(state["best"] as? [String: Any])
        best["step"] = 15
        state["best"] = best
        try JSONSerialization.data(withJSONObject: state).write(to: place)
        try Files.remove("\(run.output)/model")
        try run.train(resumes: true)
        #expect(try run.weights() != weights)
    }

    @Test func theTeacherIsListenedTo() throws {
        var teacher = try TinyClassRun()
        teacher.options.steps = 6
        try teacher.train()
        func student(_ change: (inout ClassificationOptions) -> Void) throws -> TinyClassRun {
            var run = try TinyClassRun()
            run.options.teacher = teacher.output + "/model"
            change(&run.options)
            try run.train()
            return run
        }
        let hard = try student { _ in }
        let model = try Checkpoint.open(hard.output + "/model")
        #expect(try model.visionTransformer().hasDistillationToken)
        let soft = try student { $0.distillation = .soft }
        #expect(try soft.weights() != hard.weights())
        // A run resumes with its teacher.
        var broken = try TinyClassRun()
        broken.options.teacher = teacher.output + "/model"
        try broken.train(stop: 7)
        try broken.train(resumes: true)
        #expect(try broken.weights() == hard.weights())
        // One that knows other classes is no teacher.
        try FileManager.default.moveItem(atPath: broken.data + "/red", toPath: broken.data + "/purple")
        broken.options.teacher = teacher.output + "/model"
        try FileManager.default.removeItem(atPath: broken.output)
        let error = #expect(throws: TrainingError.self) { try broken.train() }
        #expect(error?.description.contains("does not know the class \"purple\"") == true)
    }

    @Test func frozenLayersStayAsTheyAre() throws {
        var first = try TinyClassRun()
        first.options.steps = 4
        try first.train()
        var second = try TinyClassRun()
        second.options.initial = first.output + "/model"
        (second.options.width, second.options.depth, second.options.heads) = (nil, nil, nil)
        second.options.freeze = 1
        try second.train()
        let (before, after) = (
            try Checkpoint.open(first.output + "/model"), try Checkpoint.open(second.output + "/model")
        )
        for shape in before.parameterShapes {
            let same = try before.tensor(shape.name).values == after.tensor(shape.name).values
            #expect(
                same == TrainableClassifier.isFrozen(shape.name, of: before.configuration, frozenCount: 1),
                "\(shape.name)")
        }
    }

    @Test func headsOfOtherClassesAreReplacedAndThisIsSaid() throws {
        var first = try TinyClassRun()
        first.options.steps = 4
        try first.train()
        var same = try TinyClassRun()
        same.options.initial = first.output + "/model"
        (same.options.width, same.options.depth, same.options.heads, same.options.steps) = (nil, nil, nil, 4)
        let notes = Notes()
        try same.train(notes: notes)
        #expect(!notes.sentences.contains { $0.contains("afresh") })
        var other = try TinyClassRun()
        try other.write("violet/1.png", label: 0, seed: 1)
        try other.write("violet/2.png", label: 0, seed: 2)
        try other.write("violet/3.png", label: 0, seed: 3)
        (other.options.initial, other.options.validationFraction) = (first.output + "/model", 0)
        (other.options.width, other.options.depth, other.options.heads, other.options.steps) = (nil, nil, nil, 4)
        try other.train(notes: notes)
        #expect(
            notes.sentences.contains {
                $0.contains("the head starts afresh: the checkpoint has 3 classes, the run has 4")
            })
    }

    @Test func aMaskedAutoencoderBecomesAClassifier() throws {
        var pretraining = try TinyRun()
        pretraining.options.steps = 4
        try pretraining.train()
        var run = try TinyClassRun()
        run.options.initial = pretraining.output + "/model"
        (run.options.width, run.options.depth, run.options.heads) = (nil, nil, nil)
        (run.options.steps, run.options.rate, run.options.weightDecay) = (1, 0, 0)
        run.options.imageSize = Size(square: 24)
        run.options.pooling = .meanPatches
        let notes = Notes()
        try run.train(notes: notes)
        let (before, after) = (
            try Checkpoint.open(pretraining.output + "/model"), try Checkpoint.open(run.output + "/model")
        )
        #expect(after.layout == .timm)
        #expect(try after.tensor("blocks.0.mlp.fc1.weight").values == before.tensor("blocks.0.mlp.fc1.weight").values)
        #expect(try after.tensor("fc_norm.weight").values == [Float](repeating: 1, count: 16))
        #expect(try after.tensor("pos_embed").shape == [1, 37, 16])
        #expect(try after.tensor("head.weight").values.allSatisfy { abs($0) <= 4.001e-5 })
        for part in ["fc_norm starts afresh", "from 4 × 4 patches to 6 × 6", "the result will be in timm's layout"] {
            #expect(notes.sentences.contains { $0.contains(part) }, "\(part)")
        }
    }

    @Test func ratesAndDecaysAreThoseOfTheRecipe() throws {
        let goldens = try TensorArchive.open(Self.fixture("layer-decay"))
        var settings = Classification.defaults
        settings.vit = ViTConfiguration(Architecture.base)
        settings.method.classes = (0..<1000).map { "\($0)" }
        (settings.vit.pooling, settings.vit.finalNorm) = (.meanPatches, .afterPooling)
        settings.method.layerDecay = 0.65
        let shapes = settings.model.parameterShapes
        #expect(Set(shapes.map(\.name)) == Set(goldens.tensors.map(\.name)))
        for shape in shapes {
            let expected = try goldens.tensor(shape.name).values
            let group = try #require(settings.group(shape.name, decays: shape.shape.count > 1))
            #expect(abs(Float(group.rateScale) - expected[0]) < 1e-6 * expected[0], "\(shape.name)")
            #expect((group.decays ? 0.05 : 0) == expected[1], "\(shape.name)")
        }
        settings.method.freeze = 3
        let frozen = shapes.filter { settings.group($0.name, decays: true) == nil }.map(\.name)
        #expect(frozen.count == 4 + 3 * 12 && frozen.contains("pos_embed") && frozen.contains("blocks.2.norm1.bias"))
    }

    @Test func theAverageOfTenStepsIsThatOfTimm() throws {
        let goldens = try TensorArchive.open(Self.fixture("average"))
        let store = ParameterStore([("a", [3, 5])])
        let weights = try store.parameter("a").value
        weights.assign(try goldens.tensor("weights-0").values)
        let average = MovingAverage(decay: 0.9, of: store)
        let engine = Engines.make(threads: 2)
        for step in 1...10 {
            weights.assign(try goldens.tensor("weights-\(step)").values)
            average.update(from: store, engine: engine)
        }
        let expected = try goldens.tensor("average").values
        #expect(largestDifference(Array(average.weights.values.prefix(15)), expected) < 1e-6)
    }

    private static func fixture(_ name: String) -> String {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/numerics/\(name).safetensors").path
    }

    @Test func policiesAreReadAsTimmWritesThem() {
        var settings = Classification.defaults
        settings.assumeColours()
        let policy = RandAugment(policy: "rand-m7-n3-mstd1-p0.25-inc1", preprocessing: settings.preprocessing)
        #expect(policy?.magnitude == 7 && policy?.count == 3 && policy?.deviation == 1 && policy?.probability == 0.25)
        for text in ["", "m", "9", "m9-x1", "m11", "m9-inc0", "m9--n2", "none"] {
            #expect(RandAugment(policy: text, preprocessing: settings.preprocessing) == nil, "\(text)")
        }
    }

    @Test func classWeightsCountClassesAlike() throws {
        var run = try TinyClassRun()
        for index in 20..<44 { try run.write("red/\(index).png", label: 2, seed: UInt64(index)) }
        (run.options.classWeights, run.options.validationFraction) = (.balanced, 0)
        // 12, 12 and 36 images: 60 / 3 over each.
        #expect(try run.options.resolve().settings.method.classWeights == .list([20.0 / 12, 20.0 / 12, 20.0 / 36]))
        let table = run.folder.path + "/weights.csv"
        try Files.write("label,weight\nred,0.5\nblue,2\ngreen,1\n", to: table)
        run.options.classWeights = .file(table)
        #expect(try run.options.resolve().settings.method.classWeights == .list([2, 1, 0.5]))
        // What it does not name weighs 1.
        try Files.write("label,weight\ngreen,3\n", to: table)
        #expect(try run.options.resolve().settings.method.classWeights == .list([1, 3, 1]))
        let wrong = [
            "label,weight\n": "no weight for any class",
            "label,weight\nred,1\nred,1\n": "is repeated", "label,weight\npink,1\n": "no class of the data",
            "label,weight\nred,-1\n": "a weight from 0 up", "a,b\n": "begin with the line label,weight",
        ]
        for (text, message) in wrong {
            try Files.write(text, to: table)
            let error = #expect(throws: (any Error).self) { try run.options.resolve().settings }
            #expect("\(error as Any)".contains(message), "\(text)")
        }
    }

    @Test func theReportNeedsNothingElse() throws {
        let run = try TinyClassRun()
        try run.train()
        let page = try String(contentsOfFile: run.output + "/report.html", encoding: .utf8)
        #expect(!page.contains("http") && !page.contains("src=\"/"))
        #expect(page.components(separatedBy: "<svg").count == 5)
        let titles = [
            "Accuracy on held-out images", "Loss (in training", "Learning rate", "<details><summary>Settings",
        ]
        let places = titles.map { page.range(of: $0)?.lowerBound ?? page.endIndex }
        #expect(places == places.sorted() && places.allSatisfy { $0 < page.endIndex })
        #expect(page.contains("images to train on, ") && page.contains("data-name=\"held out\" data-values=\""))
        #expect(page.contains(" of training at ") && page.contains(" images/s.</p>"))
        // All is there without the script, which shows the controls.
        #expect(
            page.contains("<p class=\"controls\" hidden>")
                && page.contains("<label hidden><input type=\"checkbox\"> log"))
        #expect(page.components(separatedBy: "<g class=\"ticks\"><path class=\"grid\"").count == 5)
        #expect(page.contains("Math.log10") && page.contains("function smoothed(values, decay)"))
        #expect(page.contains("class=\"confusion\"") && page.contains("3 red"))
        let mistakes = try JSON.file(run.output + "/evaluation.json")["mistakes"]?.elements?.count ?? 0
        #expect(page.components(separatedBy: "data:image/jpeg;base64,").count == 1 + mistakes)
        try FileManager.default.removeItem(atPath: run.output + "/report.html")
        try run.train(resumes: true)
        #expect(try String(contentsOfFile: run.output + "/report.html", encoding: .utf8) == page)
    }

    /// The report lists what made a difference.
    @Test func settingsWithoutEffectAreNotListed() throws {
        var run = try TinyClassRun()
        (run.options.steps, run.options.augment) = (1, RunSettings.Augment.none)
        try run.train()
        let page = try String(contentsOfFile: run.output + "/report.html", encoding: .utf8)
        for name in ["init", "weights", "teacher", "distillation", "class_weights", "crop_scale", "blr", "command"] {
            #expect(!page.contains("<th>\(name)</th>"), "\(name)")
        }
        for name in ["augment", "lr", "mixup", "validation_fraction"] {
            #expect(page.contains("<th>\(name)</th>"), "\(name)")
        }
        var other = try TinyClassRun()
        (other.options.steps, other.options.rate, other.options.baseRate) = (1, nil, 1e-3)
        other.options.command = "vit finetune <data>"
        try other.train()
        let second = try String(contentsOfFile: other.output + "/report.html", encoding: .utf8)
        #expect(second.contains("<th>crop_scale</th>") && second.contains("<th>blr</th>"))
        #expect(second.contains("<code>vit finetune &lt;data&gt;</code>"))
    }

    @Test func settingsSurviveTheirFile() throws {
        var run = try TinyClassRun()
        (run.options.seed, run.options.pooling, run.options.flips) = (.max, .meanPatches, false)
        (run.options.classWeights, run.options.rotates) = (.balanced, true)
        let settings = try run.options.resolve().settings
        #expect(
            try Classification.settings(JSON.parse(Array(Classification.json(settings).text().utf8)), path: "")
                == settings)
    }

    @Test(
        arguments: [
            (\ClassificationOptions.layerDecay, 0, "--layer-decay"), (\.dropPath, 1, "--drop-path"),
            (\.patchDropout, 0.99, "--patch-dropout"), (\.erasing, 2, "--erasing"), (\.mixup, -1, "--mixup"),
            (\.smoothing, 1.5, "--smoothing"), (\.cropScale, 0, "--crop-scale"),
        ] as [(WritableKeyPath<ClassificationOptions, Double?> & Sendable, Double, String)])
    func numbersThatMakeNoSenseAreRefused(
        path: WritableKeyPath<ClassificationOptions, Double?> & Sendable, value: Double, name: String
    ) throws {
        var run = try TinyClassRun()
        run.options[keyPath: path] = value
        let error = #expect(throws: TrainingError.self) { try run.options.resolve().settings }
        #expect(error?.kind == .usage && error?.description.hasPrefix(name) == true)
    }
}
