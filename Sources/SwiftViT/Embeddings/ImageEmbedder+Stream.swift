import Compute
import Datasets
import Imaging
import Models
import Support

/// What became of one input of a run over many.
public struct EmbeddedInput: Sendable {
    /// The path as it was given or found; "-" is standard input.
    public let path: String
    /// What stands for the picture, or why there is nothing.
    public let result: Result<Embedding, InputError>
}

extension ImageEmbedder {
    /// Embeds many pictures and hands each result to `body`, in the order of the inputs.
    ///
    /// The next pictures are decoded on other threads while the model computes; the memory in use does not grow with
    /// the number of inputs. A picture that cannot be read gives a failure in its place. What `body` throws ends the
    /// run.
    public func embed(_ inputs: [InputPaths.Input], _ body: (EmbeddedInput) throws -> Void) throws {
        try embed(inputs, known: { _ in nil }, body)
    }

    /// The same, where `known` has the values of pictures by the digest of their files; such are not computed.
    package func embed(
        _ inputs: [InputPaths.Input], known: @escaping @Sendable (SHA256) -> [Float]?,
        _ body: (EmbeddedInput) throws -> Void
    ) throws {
        guard !inputs.isEmpty else { return }
        let preparation = self.preparation
        let stream = PreparedInputs(inputs: inputs, groupSize: options.batchSize, threads: options.threads) {
            (input) throws(InputError) in
            let bytes = try input.bytes()
            let digest = SHA256(of: bytes)
            if let values = known(digest) { return Prepared(digest: digest, content: .known(values)) }
            return Prepared(digest: digest, content: .picture(try preparation.prepare(bytes, path: input.path).image))
        }
        var batch: EmbeddingBatch?
        try stream.forEachGroup { group in
            let pictures = group.compactMap(\.picture)
            if batch == nil, !pictures.isEmpty {
                batch = EmbeddingBatch(self, capacity: min(options.batchSize, inputs.count), model: try model())
            }
            let computed = batch?.embed(pictures.map(\.image), paths: pictures.map(\.path)) ?? []
            var rest = computed[...]
            for item in group {
                let result = item.result.flatMap { prepared in
                    prepared.values(computed: &rest).map { Embedding(values: $0, digest: prepared.digest) }
                }
                try body(EmbeddedInput(path: item.path, result: result))
            }
        }
    }
}

/// A picture that waits to be computed, or whose values are known.
private struct Prepared: Sendable {
    enum Content: Sendable {
        case picture(Image)
        case known([Float])
    }

    let digest: SHA256
    let content: Content

    /// The known values, or the next of those that were computed.
    func values(computed: inout ArraySlice<Result<[Float], InputError>>) -> Result<[Float], InputError> {
        if case .known(let values) = content { return .success(values) }
        guard let next = computed.popFirst() else { preconditionFailure("embed: a picture was not computed") }
        return next
    }
}

extension PreparedInputs<Prepared>.Item {
    fileprivate var picture: (image: Image, path: String)? {
        guard case .success(let prepared) = result, case .picture(let image) = prepared.content else { return nil }
        return (image, path)
    }
}

/// The memory in which pictures are embedded together.
struct EmbeddingBatch {
    private let embedder: ImageEmbedder
    private let model: FeatureExtractor
    /// (capacity, channels, height, width)
    private let pixels: Tensor
    /// (capacity, shape)
    private let features: Tensor

    init(_ embedder: ImageEmbedder, capacity: Int, model: FeatureExtractor) {
        self.embedder = embedder
        self.model = model
        let configuration = embedder.configuration
        let size = configuration.imageSize
        pixels = Tensor(shape: [capacity, configuration.inputChannels, size.height, size.width])
        features = Tensor(shape: [capacity] + embedder.shape)
    }

    /// What stands for each of at most `capacity` prepared pictures.
    func embed(_ images: [Image], paths: [String]) -> [Result<[Float], InputError>] {
        guard !images.isEmpty else { return [] }
        for (row, image) in images.enumerated() {
            embedder.preprocessing.normalize(image, into: pixels.rows(row..<row + 1))
        }
        let features = features.rows(0..<images.count)
        model.features(pixels.rows(0..<images.count), into: features)
        if embedder.options.isNormalized {
            let width = embedder.shape.last ?? 1
            embedder.engine.normalizeRows(features.reshaped([features.count / width, width]))
        }
        return paths.indices.map { row in
            let values = features.rows(row..<row + 1).values
            guard values.allSatisfy(\.isFinite) else {
                return .failure(.notFinite(paths[row], weights: embedder.checkpoint.path))
            }
            return .success(values)
        }
    }
}
