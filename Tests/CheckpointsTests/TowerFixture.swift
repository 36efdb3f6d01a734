import Compute
import Models
import Support

/// The checkpoints under Tests/Fixtures/towers: CLIP and SigLIP, and vision towers of theirs.
enum TowerFixture: String, CaseIterable {
    case hfCLIP = "hf-clip"
    case hfCLIPLegacy = "hf-clip-legacy"
    case hfSigLIP = "hf-siglip"
    case openCLIP = "open-clip"
    case openCLIPCustom = "open-clip-custom"
    case openCLIPSigLIP = "open-clip-siglip"
    case hfCLIPVision = "hf-clip-vision"
    case hfCLIPVisionBare = "hf-clip-vision-bare"
    case hfSigLIPVision = "hf-siglip-vision"
    case hfCLIPClassifier = "hf-clip-classifier"
    case hfSigLIPClassifier = "hf-siglip-classifier"
    case timmCLIP = "timm-clip"
    case timmSigLIP = "timm-siglip"

    static let twoTowers: [TowerFixture] = [
        .hfCLIP, .hfCLIPLegacy, .hfSigLIP, .openCLIP, .openCLIPCustom, .openCLIPSigLIP,
    ]
    static let visionTowers: [TowerFixture] = [
        .hfCLIPVision, .hfCLIPVisionBare, .hfSigLIPVision, .hfCLIPClassifier, .hfSigLIPClassifier, .timmCLIP,
        .timmSigLIP,
    ]

    var directory: String { Files.join(Files.directory(of: Fixture.root) + "/towers", rawValue) }

    var checkpoint: Checkpoint { get throws { try .open(directory) } }
}

/// A checkpoint of two towers beside what its library computed.
struct TowerGolden {
    let checkpoint: Checkpoint
    let model: TwoTowerModel
    let pixels: Tensor
    let tokens: [[Int32]]
    let images: [Float]
    let texts: [Float]
    let logits: [Float]

    init(directory: String, precision: Precision = .float32, batchSize: Int = 2) throws {
        checkpoint = try Checkpoint.open(directory)
        model = try TwoTowerModel(checkpoint, precision: precision, threads: 2, batchSize: batchSize)
        let golden = try TensorArchive.open(directory + "/golden.safetensors")
        pixels = try golden.tensor("pixels")
        let table = try golden.tensor("tokens")
        let (values, length) = (table.values, table.shape[1])
        tokens = (0..<table.shape[0]).map { row in values[row * length..<(row + 1) * length].map { Int32($0) } }
        images = try golden.tensor("image_embeds").values
        texts = try golden.tensor("text_embeds").values
        logits = try golden.tensor("logits").values
    }

    /// The largest differences of the embeddings of images and of texts, and of their scores.
    func differences() throws -> [Float] {
        let (got, read) = (model.imageEmbeddings(pixels), try model.textEmbeddings(tokens))
        let scores = model.logits(images: got, texts: read)
        return [
            Self.difference(got, images), Self.difference(read, texts), Self.difference(scores, logits),
        ]
    }

    private static func difference(_ got: Tensor, _ wanted: [Float]) -> Float {
        guard got.count == wanted.count else { return .infinity }
        var largest: Float = 0
        for (one, other) in zip(got.values, wanted) {
            let difference = abs(one - other)
            largest = difference.isNaN ? .infinity : max(largest, difference)
        }
        return largest
    }
}
