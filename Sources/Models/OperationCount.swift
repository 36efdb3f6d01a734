extension ViTConfiguration {
    /// Floating-point operations of the forward pass of one image, a multiply-add counted as two.
    public var operationCount: Double { operationCount(tokens: nil) }

    /// Floating-point operations of the forward pass of one image, a multiply-add counted as two; `tokens` go through
    /// the blocks (all, where it is left out).
    ///
    /// Per block 8ND² + 4N²D for attention and 4ND·hidden for the MLP; norms and activations are left out.
    package func operationCount(tokens: Int?) -> Double {
        let (n, d) = (Double(tokens ?? tokenCount), Double(width))
        let patches = n - Double(prefixCount)
        let patchLength = Double(inputChannels * patchSize.height * patchSize.width)
        let block = 8 * n * d * d + 4 * n * n * d + 4 * n * d * Double(hiddenWidth)
        // Keys and values of all tokens, and a query's attention and MLP.
        let pool = pooling == .attention ? 4 * n * d * d + 4 * n * d + 4 * d * d + 4 * d * Double(hiddenWidth) : 0
        return 2 * patches * patchLength * d + Double(depth) * block + pool
            + 2 * d * Double(classCount + projectionWidth)
    }
}

extension MAEConfiguration {
    /// Floating-point operations of the forward pass of one image, a multiply-add counted as two.
    public var operationCount: Double {
        let visible = Double(1 + keptCount)
        let (n, d) = (Double(1 + encoder.patchCount), Double(decoder.width))
        let block = 8 * n * d * d + 4 * n * n * d + 4 * n * d * Double(decoder.hiddenWidth)
        return encoder.operationCount(tokens: 1 + keptCount) + 2 * visible * Double(encoder.width) * d
            + Double(decoder.depth) * block + 2 * (n - 1) * d * Double(targetLength)
    }
}
