import Compute
import Models
import Support
import Testing

import Training

/// At the full size of ViT-tiny, where every product is shared among threads, their number changes no bit.
@Suite struct ThreadTests {
    /// The bytes that two steps leave: losses and gradient norms (forward and backward), moments and weights.
    private struct Outcome: Equatable {
        let losses: [[Double]]
        let weights: [UInt8]
        let moments: [UInt8]

        init(_ run: String) throws {
            losses = try MetricsLog.read("\(run)/metrics.jsonl").map { line in
                line.values.filter { ["loss", "gradient_norm"].contains($0.name) }.map(\.value)
            }
            weights = try Files.bytes(of: "\(run)/checkpoints/2/model.safetensors")
            moments = try Files.bytes(of: "\(run)/checkpoints/2/optimizer.safetensors")
        }
    }

    private func ask<Own>(_ options: inout TrainingOptions<Own>, batch: Int) {
        options.architecture = .tiny
        (options.width, options.depth, options.heads) = (nil, nil, nil)
        (options.imageSize, options.patchSize) = (Size(square: 224), Size(square: 16))
        (options.batchSize, options.steps, options.logEvery, options.checkpointEvery) = (batch, 2, 1, 2)
        (options.warmupEpochs, options.validationFraction, options.clip, options.averageDecay) = (0, 0, 1, 0.9)
    }

    private func expectSameBits(_ outcomes: [Outcome]) {
        #expect(outcomes[0].losses.count == 2 && outcomes[0].losses.allSatisfy { $0.count == 2 })
        #expect(outcomes[1] == outcomes[0] && outcomes[2] == outcomes[0])
    }

    @Test(arguments: [Precision.float32, .bfloat16]) func stepsOfPretraining(precision: Precision) throws {
        expectSameBits(
            try (1...3).map { threads in
                var run = try TinyRun(count: 4)
                ask(&run.options, batch: 4)
                run.options.precision = precision
                (run.options.decoderWidth, run.options.decoderDepth, run.options.decoderHeads) = (nil, nil, nil)
                try run.train(threads: threads)
                return try Outcome(run.output)
            })
    }

    @Test(arguments: [(0, Precision.float32), (0.3, .float32), (0, .bfloat16)])
    func stepsOfFinetuning(patchDropout: Double, precision: Precision) throws {
        expectSameBits(
            try (1...3).map { threads in
                var run = try TinyClassRun(imagesPerClass: 2)
                ask(&run.options, batch: 3)
                (run.options.patchDropout, run.options.dropPath) = (patchDropout, 0.5)
                run.options.precision = precision
                try run.train(threads: threads)
                return try Outcome(run.output)
            })
    }
}
