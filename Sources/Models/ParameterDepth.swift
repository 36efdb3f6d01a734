/// How deep in a Vision Transformer a parameter lies, told by its name.
package enum ParameterDepth {
    /// The number of the encoder block that a parameter belongs to; nil outside of blocks.
    package static func block(of name: String) -> Int? {
        let parts = name.split(separator: ".")
        return parts.count > 1 && parts[0] == "blocks" ? Int(parts[1]) : nil
    }

    /// Whether it belongs to what comes before the blocks: patch projection, tokens and positions.
    package static func isEmbedding(_ name: String) -> Bool {
        name.hasPrefix("patch_embed.") || name.hasSuffix("_token") || name == "pos_embed"
    }

    /// The layer of a parameter: 0 for the embedding, 1 + i for block i, 1 + depth for what follows.
    package static func layer(of name: String, depth: Int) -> Int {
        if let block = block(of: name) { return block + 1 }
        return isEmbedding(name) ? 0 : depth + 1
    }
}
