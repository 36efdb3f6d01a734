import Models
import Compute
import Datasets
import Foundation
import Imaging
import Support
import Testing

import Training

/// Rotation prediction: what becomes of an image, what a step does, and what a run leaves.
@Suite struct RotationTests {
    /// A tiny model for a folder of small images.
    private struct TinyRotationRun {
        let images: TinyRun
        var output: String { images.output }
        var options: RotationOptions

        init(count: Int = 24) throws {
            images = try TinyRun(count: count)
            options = RotationOptions(data: images.data)
            options.imageSize = Size(square: 16)
            options.patchSize = Size(square: 4)
            (options.width, options.depth, options.heads) = (16, 2, 2)
            options.steps = 12
            options.batchSize = 4
            options.rate = 2e-3
            options.warmupEpochs = 0.5
            options.checkpointEvery = 5
            options.logEvery = 4
            options.validationFraction = 0.2
        }

        @discardableResult
        func train(stop: Int? = nil, resumes: Bool = false, threads: Int = 2, notes: Notes = Notes()) throws
            -> RunResult
        {
            try trainRun(options, in: output, stop: stop, resumes: resumes, threads: threads, notes: notes)
        }

        /// The bytes of the result, and of the state after the last step.
        func bytes() throws -> [[UInt8]] {
            let last = try RunDirectory(path: output).checkpointSteps.last ?? 0
            return try [
                "model/model.safetensors", "checkpoints/\(last)/model.safetensors",
                "checkpoints/\(last)/optimizer.safetensors",
            ].map { try Files.bytes(of: "\(output)/\($0)") }
        }

        func values(_ name: String) throws -> [Double] {
            try MetricsLog.read("\(output)/metrics.jsonl").compactMap { line in
                line.values.first { $0.name == name }?.value
            }
        }
    }

    @Test func anImageBecomesItsFourRotations() throws {
        let folder = try TemporaryFolder()
        // 1 2     2 4     4 3     3 1
        // 3 4     1 3     2 1     4 2
        let pixels: [UInt8] = [1, 2, 3, 4].flatMap { [$0, $0 + 10, $0 + 20] }
        try Files.makeDirectory(folder.path + "/data")
        try Files.write(
            Image(width: 2, height: 2, channels: 3, pixels: pixels).encodedPNG(), to: folder.path + "/data/a.png")
        var options = RotationOptions(data: folder.path + "/data")
        (options.imageSize, options.patchSize) = (Size(square: 2), Size(square: 1))
        (options.width, options.depth, options.heads) = (8, 1, 2)
        (options.batchSize, options.steps, options.augment) = (1, 1, RunSettings.Augment.none)
        let resolved = try options.resolve()
        let (settings, dataset) = (resolved.settings, resolved.dataset)
        let method = try Rotation(settings, start: .random, dataset: dataset, engine: Engines.make(threads: 1)) { _ in }
        let loader = try BatchLoader(
            dataset,
            options: .init(
                batchSize: 1, augmentation: method.augmentation, normalization: settings.preprocessing))
        let batch = try loader.next()
        let first = batch.images.map { image in stride(from: 0, to: 12, by: 3).map { image.pixels[$0] } }
        #expect(first == [[1, 2, 3, 4], [2, 4, 1, 3], [4, 3, 2, 1], [3, 1, 4, 2]])
        #expect(
            batch.images.allSatisfy { image in
                (0..<4).allSatisfy { image.pixels[3 * $0 + 2] == image.pixels[3 * $0] + 20 }
            })
        #expect(ImageRotation.allCases.map(\.label) == ["0°", "90°", "180°", "270°"])
        // Four views of one image, none of which an untrained model prefers by much.
        #expect(abs(method.pass(batch, step: 0, part: 0) - log(4)) < 1)
    }

    @Test(arguments: [1, 7]) func anInterruptedRunEndsInTheSameBits(stop: Int) throws {
        let (whole, broken) = (try TinyRotationRun(), try TinyRotationRun())
        #expect(try whole.train(threads: 1).isComplete)
        #expect(try !broken.train(stop: stop).isComplete)
        #expect(try broken.train(resumes: true).isComplete)
        #expect(try broken.bytes() == whole.bytes())
    }

    @Test func threadsChangeNoBit() throws {
        let bytes = try (1...3).map { threads in
            var run = try TinyRotationRun(count: 12)
            (run.options.steps, run.options.accumulate, run.options.averageDecay) = (4, 2, 0.9)
            try run.train(threads: threads)
            return try run.bytes()
        }
        #expect(bytes[1] == bytes[0] && bytes[2] == bytes[0])
    }

    @Test func everyParameterHasAGradient() throws {
        var run = try TinyRotationRun()
        run.options.steps = 2
        run.options.warmupEpochs = 0
        try run.train()
        let moments = try TensorArchive.open("\(run.output)/checkpoints/2/optimizer.safetensors")
        let names = moments.tensors.map(\.name).filter { $0.hasPrefix("exp_avg/") }
        // Patch embedding, class token and positions; twelve tensors a block; norm and head.
        #expect(names.count == 4 + 2 * 12 + 4)
        for name in names {
            let values = try moments.tensor(name).values
            #expect(values.contains { $0 != 0 } && values.allSatisfy(\.isFinite), "\(name)")
        }
    }

    /// The held-out images are those of the training, so that views and targets of both have to agree.
    @Test func aFewImagesAreLearned() throws {
        var run = try TinyRotationRun(count: 4)
        for part in ["train", "val"] {
            try Files.makeDirectory("\(run.images.data)/\(part)/stripes")
            for index in 0..<4 {
                try FileManager.default.copyItem(
                    atPath: "\(run.images.data)/\(index).png", toPath: "\(run.images.data)/\(part)/stripes/\(index).png"
                )
            }
        }
        for index in 0..<4 { try Files.remove("\(run.images.data)/\(index).png") }
        (run.options.steps, run.options.width, run.options.rate) = (40, 32, 4e-3)
        (run.options.augment, run.options.validationFraction) = (RunSettings.Augment.none, nil)
        try run.train()
        let (losses, accuracies) = (try run.values("loss"), try run.values("validation_accuracy"))
        #expect(losses[0] > 1 && (losses.last ?? 9) < 0.1, "\(losses)")
        #expect(accuracies[0] < 0.9 && accuracies.last == 1, "\(accuracies)")
    }

    @Test func theResultClassifiesRotations() throws {
        let run = try TinyRotationRun()
        let notes = Notes()
        try run.train(notes: notes)
        let checkpoint = try Checkpoint.open(run.output + "/model")
        #expect(checkpoint.labels == ["0°", "90°", "180°", "270°"] && checkpoint.configuration.classCount == 4)
        let accuracies = try run.values("validation_accuracy")
        #expect(!accuracies.isEmpty && accuracies.allSatisfy { (0...1).contains($0) })
        #expect(try run.values("validation_loss").count == accuracies.count)
        #expect(notes.sentences.contains { $0.contains("% of the rotations of ") })
        let report = String(decoding: try Files.bytes(of: run.output + "/report.html"), as: UTF8.self)
        for part in ["Rotation prediction: step 12 of 12", "Confusion matrix", "4 270°", "all four rotations"] {
            #expect(report.contains(part), "\(part)")
        }
        // Its own classifier continues with its head, since the classes are the same.
        var other = try TinyRotationRun()
        (other.options.initial, other.options.steps) = (run.output + "/model", 1)
        let otherNotes = Notes()
        try other.train(notes: otherNotes)
        #expect(!otherNotes.sentences.contains { $0.contains("afresh") })
    }

    @Test func imagesAreSquare() throws {
        var run = try TinyRotationRun()
        run.options.imageSize = Size(height: 16, width: 32)
        let error = #expect(throws: TrainingError.self) { try run.train() }
        #expect(error?.kind == .usage)
        #expect(
            error?.description
                == "--method rotation needs square images, not 16x32; expected one number as --image-size")
    }
}
