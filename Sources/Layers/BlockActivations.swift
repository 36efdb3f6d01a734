import Compute

/// The intermediate results of a block, planned before it runs.
package struct BlockActivations: Sendable {
    package let statistics1: NormStatistics
    package let qkv: Tensor
    package let middle: Tensor
    package let statistics2: NormStatistics
    /// The MLP before its activation, where a backward pass follows.
    package let preActivation: Tensor?
    /// What attention and MLP add to the tokens, before any scale; kept one by one where the scale is trained, else one
    /// place for all.
    package let branch1: Tensor?
    package let branch2: Tensor?
    package let output: Tensor
    /// Overwritten by the next block: what attention gives, what a norm gives, and the MLP after its activation.
    package let mixed: Tensor
    package let normed: Tensor
    package let hidden: Tensor

    /// Room for one block at a time: nothing is kept for a backward pass, and the output takes the place of `input`.
    package static func shared(_ shape: BlockShape, input: Tensor) -> BlockActivations {
        let room = BlockRoom(shape, input: input)
        return BlockActivations(
            statistics1: room.statistics(), qkv: room.tokens(3 * shape.width), middle: room.tokens(shape.width),
            statistics2: room.statistics(), preActivation: nil, branch1: nil, branch2: nil, output: input,
            mixed: room.tokens(shape.width), normed: room.tokens(shape.width), hidden: room.tokens(shape.hiddenWidth))
    }

    /// Room for `count` blocks one after the other, each with what its backward pass reads. Norms, activations and what
    /// attention gives are cheap to compute again and share one place.
    package static func kept(_ shape: BlockShape, input: Tensor, count: Int) -> [BlockActivations] {
        let room = BlockRoom(shape, input: input)
        let (mixed, normed) = (room.tokens(shape.width), room.tokens(shape.width))
        let hidden = room.tokens(shape.hiddenWidth)
        let branch = shape.hasLayerScale ? nil : room.tokens(shape.width)
        return (0..<count).map { _ in
            BlockActivations(
                statistics1: room.statistics(), qkv: room.tokens(3 * shape.width), middle: room.tokens(shape.width),
                statistics2: room.statistics(), preActivation: room.tokens(shape.hiddenWidth),
                branch1: branch ?? room.tokens(shape.width), branch2: branch ?? room.tokens(shape.width),
                output: room.tokens(shape.width), mixed: mixed, normed: normed, hidden: hidden)
        }
    }

    /// The floats that a block keeps of an image with so many tokens.
    package static func keptCount(_ shape: BlockShape, tokenCount: Int) -> Int {
        tokenCount * ((shape.hasLayerScale ? 7 : 5) * shape.width + shape.hiddenWidth)
    }

    /// The part for the first `count` images.
    package func first(_ count: Int) -> BlockActivations {
        let rowCount = count * normed.shape[1]
        return BlockActivations(
            statistics1: statistics1.first(rowCount), qkv: qkv.rows(0..<count), middle: middle.rows(0..<count),
            statistics2: statistics2.first(rowCount), preActivation: preActivation?.rows(0..<count),
            branch1: branch1?.rows(0..<count), branch2: branch2?.rows(0..<count), output: output.rows(0..<count),
            mixed: mixed.rows(0..<count), normed: normed.rows(0..<count), hidden: hidden.rows(0..<count))
    }
}

/// Gradients on their way through a block; every block of an encoder uses the same.
package struct BlockGradients: Sendable {
    package let middle: Tensor
    package let branch: Tensor
    package let qkv: Tensor
    package let hidden: Tensor

    /// Room for the way back through blocks with such an input. What their MLPs hide is not read any more when its
    /// gradient is written, and lends it its place.
    package init(_ shape: BlockShape, input: Tensor, activations: [BlockActivations]) {
        let room = BlockRoom(shape, input: input)
        middle = room.tokens(shape.width)
        branch = room.tokens(shape.width)
        qkv = room.tokens(3 * shape.width)
        hidden = activations.first?.hidden ?? room.tokens(shape.hiddenWidth)
    }
}

/// What the last block works in where only the first tokens of each image are wanted of it, forth and back.
package struct LeadingRoom: Sendable {
    package let activations: BlockActivations
    package let gradients: BlockGradients
    /// The gradient of the output (B, P, D).
    package let d: Tensor

    /// Room for the first `count` tokens of each of `imageCount` images.
    package init(_ shape: BlockShape, imageCount: Int, count: Int) {
        d = Tensor(shape: [imageCount, count, shape.width])
        activations = BlockActivations.kept(shape, input: d, count: 1)[0]
        gradients = BlockGradients(shape, input: d, activations: [activations])
    }
}

/// Makes tensors for the tokens of a batch.
private struct BlockRoom {
    let imageCount: Int
    let tokenCount: Int

    init(_ shape: BlockShape, input: Tensor) {
        precondition(
            input.shape.count == 3 && input.shape[2] == shape.width,
            "Block: expected tokens (images, tokens, \(shape.width)), got \(input.shape)")
        imageCount = input.shape[0]
        tokenCount = input.shape[1]
    }

    func tokens(_ width: Int) -> Tensor { Tensor(shape: [imageCount, tokenCount, width]) }

    func statistics() -> NormStatistics { NormStatistics(rowCount: imageCount * tokenCount) }
}
