import Compute
import Datasets
import Imaging
import Models

/// What became of one input of a run over many.
public struct ReconstructedInput: Sendable {
    /// The path as it was given or found; "-" is standard input.
    public let path: String
    /// The picture as the model completes it, or why there is none.
    public let result: Result<Reconstruction, InputError>
}

extension MAEReconstructor {
    /// Masks and completes many pictures and hands each to `body`, in the order of the inputs.
    ///
    /// The next pictures are decoded on other threads while the model computes. A picture that cannot be read gives a
    /// failure in its place. What `body` throws ends the run.
    public func reconstruct(_ inputs: [InputPaths.Input], _ body: (ReconstructedInput) throws -> Void) throws {
        try reconstruct(inputs, noise: nil, body)
    }

    /// The same with masks from `noise`: row i, of a number for each patch, belongs to input i.
    ///
    /// Errors: `InputError` too where the noise does not fit.
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

    /// Refuses noise that does not fit the model, or has too few rows for so many inputs.
    package func check(_ noise: NumPyMatrix, inputCount: Int) throws(InputError) {
        let patchCount = configuration.encoder.patchCount
        guard noise.rows >= inputCount, noise.columns == patchCount else {
            throw .malformed(
                noise.path,
                "has the shape \(noise.shapeText); (\(inputCount), \(patchCount)) is right: a row for each picture, a "
                    + "number for each patch")
        }
        guard noise.isFinite else { throw .malformed(noise.path, "holds a value that is no finite number") }
    }
}

/// Pictures that are computed together.
private struct Batch {
    private let reconstructor: MAEReconstructor
    private var model: MaskedAutoencoder?
    private var modelSize = 0
    private var pictures: [PreparedImage] = []
    private var noise: [Float] = []

    init(_ reconstructor: MAEReconstructor) { self.reconstructor = reconstructor }

    /// Computes the pictures of a group and hands all its results over; `noise` is that of the input at an index.
    mutating func reconstruct(
        _ group: [PreparedInputs<PreparedImage>.Item], noise: (Int) -> [Float],
        _ body: (ReconstructedInput) throws -> Void
    ) throws {
        pictures.removeAll(keepingCapacity: true)
        self.noise.removeAll(keepingCapacity: true)
        for item in group {
            guard case .success(let picture) = item.result else { continue }
            pictures.append(picture)
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
        guard !pictures.isEmpty else { return [] }
        let configuration = reconstructor.configuration
        let (patchCount, keptCount) = (configuration.encoder.patchCount, configuration.keptCount)
        let size = configuration.encoder.imageSize
        let images = Tensor(
            shape: [pictures.count, configuration.encoder.inputChannels, size.height, size.width])
        for (row, picture) in pictures.enumerated() {
            reconstructor.preprocessing.normalize(picture.image, into: images.rows(row..<row + 1))
        }
        let mask = PatchMask(noise: noise, patchCount: patchCount, keptCount: keptCount)
        let model = try model(for: pictures.count)
        let prediction = model.forward(images, mask: mask)
        _ = model.loss(images, mask: mask)
        let losses = model.imageLosses(mask: mask)
        let removed = mask.removed
        return pictures.indices.map { row in
            Reconstruction(
                image: pictures[row].image,
                kept: mask.kept[row * keptCount..<(row + 1) * keptCount].map { Int($0) },
                removed: Array(removed[row * patchCount..<(row + 1) * patchCount]),
                prediction: prediction.rows(row..<row + 1).values,
                loss: keptCount < patchCount ? losses[row] : nil, painter: reconstructor.painter)
        }
    }

    /// The model with room for exactly `count` pictures.
    private mutating func model(for count: Int) throws -> MaskedAutoencoder {
        if let model, modelSize == count { return model }
        let new = try reconstructor.model(batchSize: count)
        (model, modelSize) = (new, count)
        return new
    }
}
