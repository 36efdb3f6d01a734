import Compute
import Datasets
import Imaging
import Models

/// The result for one input.
public struct ReconstructedInput: Sendable {
    /// The path as given or found; "-" is standard input.
    public let path: String
    /// The reconstruction, or why there is none.
    public let result: Result<Reconstruction, InputError>
}

extension MAEReconstructor {
    /// Masks and reconstructs many images and passes each result to `body`, in input order.
    ///
    /// Upcoming images are decoded on other threads while the model computes. An image that cannot be read yields a
    /// failure in its place. An error thrown by `body` ends the run.
    public func reconstruct(_ inputs: [InputPaths.Input], _ body: (ReconstructedInput) throws -> Void) throws {
        try reconstruct(inputs, noise: nil, body)
    }

    /// The same with masks from `noise`, whose row i holds one number per patch of input i.
    ///
    /// Errors: also `InputError` if the noise does not fit.
    package func reconstruct(
        _ inputs: [InputPaths.Input], noise: NumPyMatrix?, _ body: (ReconstructedInput) throws -> Void
    ) throws {
        if let noise { try check(noise, inputCount: inputs.count) }
        let preparation = self.preparation
        let stream = PreparedInputs(inputs: inputs, groupSize: options.batchSize, threads: options.threads) {
            (input) throws(InputError) in try preparation.prepare(input)
        }
        var batch = Batch(self)
        try stream.forEachGroup { group in
            try batch.reconstruct(group, noise: { noise?[$0] ?? self.noise(at: $0) }, body)
        }
    }

    /// Throws if `noise` does not fit the model, or has fewer rows than there are inputs.
    package func check(_ noise: NumPyMatrix, inputCount: Int) throws(InputError) {
        let patchCount = configuration.encoder.patchCount
        guard noise.rows >= inputCount, noise.columns == patchCount else {
            throw .malformed(
                noise.path,
                "has the shape \(noise.shapeText); (\(inputCount), \(patchCount)) is right: one row per image, one number "
                    + "per patch")
        }
        guard noise.isFinite else { throw .malformed(noise.path, "holds a value that is no finite number") }
    }
}

/// Images that are reconstructed together.
private struct Batch {
    private let reconstructor: MAEReconstructor
    private var model: MaskedAutoencoder?
    private var modelSize = 0
    private var prepared: [PreparedImage] = []
    private var noise: [Float] = []

    init(_ reconstructor: MAEReconstructor) { self.reconstructor = reconstructor }

    /// Reconstructs the images of a group and passes all its results to `body`; `noise` returns that of an input.
    mutating func reconstruct(
        _ group: [PreparedInputs<PreparedImage>.Item], noise: (Int) -> [Float],
        _ body: (ReconstructedInput) throws -> Void
    ) throws {
        prepared.removeAll(keepingCapacity: true)
        self.noise.removeAll(keepingCapacity: true)
        for item in group {
            guard case .success(let image) = item.result else { continue }
            prepared.append(image)
            self.noise += noise(item.index)
        }
        var results = try compute()[...]
        for item in group {
            let result = item.result.flatMap { _ in
                Result { () throws(InputError) in
                    guard let reconstruction = results.popFirst(), reconstruction.isFinite else {
                        throw .notFinite(item.path, weights: reconstructor.checkpoint.path)
                    }
                    return reconstruction
                }
            }
            try body(ReconstructedInput(path: item.path, result: result))
        }
    }

    private mutating func compute() throws -> [Reconstruction] {
        guard !prepared.isEmpty else { return [] }
        let configuration = reconstructor.configuration
        let (patchCount, keptCount) = (configuration.encoder.patchCount, configuration.keptCount)
        let images = Tensor(shape: configuration.encoder.imageShape(count: prepared.count))
        for (row, item) in prepared.enumerated() {
            reconstructor.preprocessing.normalize(item.image, into: images.rows(row..<row + 1))
        }
        let mask = PatchMask(noise: noise, patchCount: patchCount, keptCount: keptCount)
        let model = try model(for: prepared.count)
        let prediction = model.forward(images, mask: mask)
        _ = model.loss(images, mask: mask)
        let losses = model.imageLosses(mask: mask)
        let removed = mask.removed
        return prepared.indices.map { row in
            Reconstruction(
                image: prepared[row].image,
                kept: mask.kept[row * keptCount..<(row + 1) * keptCount].map { Int($0) },
                removed: Array(removed[row * patchCount..<(row + 1) * patchCount]),
                prediction: prediction.rows(row..<row + 1).values,
                loss: keptCount < patchCount ? losses[row] : nil, painter: reconstructor.painter)
        }
    }

    /// The model for batches of exactly `count` images.
    private mutating func model(for count: Int) throws -> MaskedAutoencoder {
        if let model, modelSize == count { return model }
        let new = try reconstructor.model(batchSize: count)
        (model, modelSize) = (new, count)
        return new
    }
}
