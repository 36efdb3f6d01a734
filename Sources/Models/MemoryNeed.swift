import Support

/// The least memory that a model takes, by its shape alone: before any of it is taken.
///
/// Counted in floating point, in which no product of sizes overflows.
package struct MemoryNeed: Sendable {
    /// The numbers that the model consists of.
    package let parameterCount: Double
    /// All of it in bytes.
    package let bytes: Double
    /// "training it".
    private let use: String
    /// The part that neither weights nor images take.
    private let activations: Double

    private static let floatSize = 4.0

    /// Steps of training: the weights and what the optimizer keeps of each, a batch, and what an image leaves for the
    /// backward pass.
    ///
    /// - Parameters:
    ///   - copies: the numbers that are kept for a weight, itself among them.
    ///   - tokenCount: the tokens that go through the blocks; nil: all that the model has.
    ///   - blockCount: the blocks that are trained; nil: all.
    package static func training(
        _ model: any ModelConfiguration, imageCount: Int, copies: Int, tokenCount: Int? = nil, blockCount: Int? = nil
    ) -> MemoryNeed {
        var activations = activations(
            width: model.width, depth: blockCount ?? model.depth, tokens: tokenCount ?? encodedCount(model))
        if let mae = model as? MAEConfiguration {
            activations += Self.activations(
                width: mae.decoder.width, depth: mae.decoder.depth, tokens: mae.encoder.patchCount)
        }
        return MemoryNeed(
            model, use: "training it", copies: Double(copies), imageCount: imageCount, activations: activations)
    }

    /// Forward passes over batches of so many images.
    package static func inference(_ model: any ModelConfiguration, imageCount: Int) -> MemoryNeed {
        // A token beside its query, key and value.
        let activations = 4 * Double(model.width) * Double(encodedCount(model)) * Double(imageCount) * floatSize
        return MemoryNeed(model, use: "using it", copies: 1, imageCount: imageCount, activations: activations)
    }

    /// The same, whose attention is looked at: the weights of a block, and one matrix of all tokens by all.
    package static func attention(_ model: any ModelConfiguration, imageCount: Int) -> MemoryNeed {
        let inference = inference(model, imageCount: imageCount)
        let matrix = Double(model.tokenCount) * Double(model.tokenCount) * floatSize
        let matrices = Double(model.heads) * Double(imageCount) + 1
        return MemoryNeed(
            model, use: "reading its attention", copies: 1, imageCount: imageCount,
            activations: inference.activations + matrices * matrix)
    }

    /// Forward passes of a text tower over batches of so many texts of full length.
    package static func texts(_ tower: TextTowerConfiguration, textCount: Int) -> MemoryNeed {
        let count = tower.parameterShapes.reduce(0.0) { $0 + $1.shape.reduce(1.0) { $0 * Double($1) } }
        // A token beside its query, key and value.
        let activations = 4 * Double(tower.width) * Double(tower.contextLength) * Double(textCount) * floatSize
        return MemoryNeed(
            parameterCount: count, bytes: count * floatSize + activations, use: "using its text tower",
            activations: activations)
    }

    private init(parameterCount: Double, bytes: Double, use: String, activations: Double) {
        (self.parameterCount, self.bytes, self.use, self.activations) = (parameterCount, bytes, use, activations)
    }

    private init(
        _ model: any ModelConfiguration, use: String, copies: Double, imageCount: Int, activations: Double
    ) {
        let count = model.parameterShapes.reduce(0.0) { $0 + $1.shape.reduce(1.0) { $0 * Double($1) } }
        let batch = model.imageShape(count: imageCount).reduce(1.0) { $0 * Double($1) }
        (self.use, self.activations) = (use, activations)
        parameterCount = count
        bytes = (copies * count + batch) * Self.floatSize + activations
    }

    /// The tokens that go through the encoder.
    private static func encodedCount(_ model: any ModelConfiguration) -> Int {
        (model as? MAEConfiguration)?.keptCount ?? model.tokenCount
    }

    /// The bytes that an image leaves: in each block the queries, keys and values and the outputs of both branches, in 16
    /// bits at least.
    private static func activations(width: Int, depth: Int, tokens: Int) -> Double {
        5 * Double(width) * Double(depth) * Double(tokens) * 2
    }

    /// Throws where that is more than a process may have.
    package func check(limit: Int = MemoryLimit.bytes) throws(MemoryShortage) {
        guard bytes > Double(limit) else { return }
        throw MemoryShortage(
            "the model has \(Self.text(parameterCount, "", "million", "billion", "trillion")) parameters, and \(use) takes at "
                + "least \(Self.text(bytes, "bytes", "MB", "GB", "TB")) of memory; this process may have "
                + "\(Self.text(Double(limit), "bytes", "MB", "GB", "TB")); use a smaller model, smaller images or fewer at a time"
        )
    }

    /// A number of three or four digits with its unit.
    private static func text(_ number: Double, _ units: String...) -> String {
        var (number, index) = (number, 0)
        if number >= 1e6 { (number, index) = (number / 1e6, 1) }
        while number >= 1000, index > 0, index < units.count - 1 { (number, index) = (number / 1000, index + 1) }
        let digits = number < 100 && index > 0 ? fixed(number, 1) : fixed(number, 0)
        return units[index].isEmpty ? digits : "\(digits) \(units[index])"
    }
}

/// A model takes more memory than there is: one sentence that says how much.
public struct MemoryShortage: Error, Sendable, Hashable, CustomStringConvertible {
    /// The sentence.
    public let description: String

    init(_ description: String) { self.description = description }
}
