import Communication
import Compute
import Datasets
import Imaging
import Models
import Support

/// The result for one input.
public struct EmbeddedInput: Sendable {
    /// The path as given or found; "-" is standard input.
    public let path: String
    /// The embedding, or why there is none.
    public let result: Result<Embedding, InputError>
}

extension ImageEmbedder {
    /// Embeds many images and passes each result to `body`, in input order.
    ///
    /// Upcoming images are decoded on other threads while the model computes; memory does not grow with the number of
    /// inputs. An image that cannot be read yields a failure in its place. An error thrown by `body` ends the run.
    public func embed(_ inputs: [InputPaths.Input], _ body: (EmbeddedInput) throws -> Void) throws {
        try embed(inputs, known: { _ in nil }, body)
    }

    /// The same, except that embeddings that `known` returns for the digest of a file are not computed.
    package func embed(
        _ inputs: [InputPaths.Input], known: @escaping @Sendable (SHA256) -> [Float]?,
        _ body: (EmbeddedInput) throws -> Void
    ) throws {
        let shared = SharedInputs(
            inputs: inputs, batchSize: min(options.batchSize, max(1, inputs.count)), communicator: options.communicator,
            pack: { (embedding: Embedding, message) in
                message.append(bytes: embedding.digest.bytes)
                message.append(embedding.values)
            },
            unpack: { message in
                let digest = SHA256(bytes: message.content())
                return Embedding(values: message.floats(), digest: digest)
            })
        guard !inputs.isEmpty else { return }
        let preparation = self.preparation
        let stream = PreparedInputs(inputs: shared.own, groupSize: shared.batchSize, threads: options.threads) {
            (input) throws(InputError) in
            let bytes = try input.bytes()
            let digest = SHA256(of: bytes)
            if let values = known(digest) { return Prepared(digest: digest, content: .known(values)) }
            return Prepared(digest: digest, content: .image(try preparation.prepare(bytes, path: input.path).image))
        }
        var batch: EmbeddingBatch?
        var groups = PreparedInputs<Prepared>.Groups(stream)
        try shared.run {
            guard let group = groups.next() else { return nil }
            let images = group.compactMap(\.image)
            if batch == nil, !images.isEmpty {
                batch = EmbeddingBatch(self, capacity: min(options.batchSize, inputs.count), model: try model())
            }
            let computed = batch?.embed(images.map(\.image), paths: images.map(\.path)) ?? []
            var rest = computed[...]
            return group.map { item in
                item.result.flatMap { prepared in
                    prepared.values(computed: &rest).map { Embedding(values: $0, digest: prepared.digest) }
                }
            }
        } _: { path, result in
            try body(EmbeddedInput(path: path, result: result))
        }
    }
}

/// An image to embed, or one whose embedding is known.
private struct Prepared: Sendable {
    enum Content: Sendable {
        case image(Image)
        case known([Float])
    }

    let digest: SHA256
    let content: Content

    /// The known values, or the next computed ones.
    func values(computed: inout ArraySlice<Result<[Float], InputError>>) -> Result<[Float], InputError> {
        if case .known(let values) = content { return .success(values) }
        guard let next = computed.popFirst() else { preconditionFailure("embed: an image was not computed") }
        return next
    }
}

extension PreparedInputs<Prepared>.Item {
    fileprivate var image: (image: Image, path: String)? {
        guard case .success(let prepared) = result, case .image(let image) = prepared.content else { return nil }
        return (image, path)
    }
}

/// The tensors in which images are embedded together.
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
        pixels = Tensor(shape: configuration.imageShape(count: capacity))
        features = Tensor(shape: [capacity] + embedder.shape)
    }

    /// The embeddings of at most `capacity` prepared images.
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
