import Compute
import Support
import TensorFiles

// What the shapes of the tensors show of both towers.
extension TensorTable where Names == TowerNames {
    /// All of the vision tower but its heads, the size of its images, its epsilon and its activation.
    func visionTower() throws(CheckpointError) -> ViTConfiguration {
        var tower = ViTConfiguration()
        tower.width = try extent(0, of: "patch_embed.proj.weight")
        tower.inputChannels = try extent(1, of: "patch_embed.proj.weight")
        tower.patchSize = Size(
            height: try extent(2, of: "patch_embed.proj.weight"), width: try extent(3, of: "patch_embed.proj.weight"))
        tower.depth = depth(isText: false)
        guard tower.depth > 0 else {
            throw .malformed(
                path, "has no transformer's block in its vision tower; towers that are ResNets cannot be read")
        }
        tower.hiddenWidth = try extent(0, of: "blocks.0.mlp.fc1.weight")
        tower.qkvBias = contains("blocks.0.attn.qkv.bias")
        tower.patchBias = contains("patch_embed.proj.bias")
        tower.hasPreNorm = contains("norm_pre.weight")
        tower.hasClassToken = contains("cls_token")
        tower.hasLayerScale = contains("blocks.0.ls1.gamma")
        if names.vision == .timm { tower.registerCount = contains("reg_token") ? try extent(1, of: "reg_token") : 0 }
        tower.finalNorm = names.vision == .timm && contains("fc_norm.weight") ? .afterPooling : .beforePooling
        tower.pooling =
            contains("attn_pool.latent") ? .attention : tower.hasClassToken ? .classToken : .meanPatches
        tower.projectionWidth = contains("projection.weight") ? try extent(0, of: "projection.weight") : 0
        tower.positionInterpolation = names.vision == .transformers ? .transformers : .timm
        tower.classCount = names.isClassifier ? try extent(0, of: "head.weight") : 0
        if names.isClassifier { tower.pooling = .meanPatches }
        return tower
    }

    /// All of the text tower but its heads, its mask, its pooling, its epsilon and its activation; nil where there is none.
    func textTower() throws(CheckpointError) -> TextTowerConfiguration? {
        guard names.textPrefix != nil else { return nil }
        let prefix = TextTowerConfiguration.prefix
        var tower = TextTowerConfiguration()
        tower.vocabularySize = try extent(0, of: "\(prefix)token_embed.weight")
        tower.width = try extent(1, of: "\(prefix)token_embed.weight")
        tower.contextLength = try extent(0, of: "\(prefix)pos_embed")
        tower.depth = depth(isText: true)
        guard tower.depth > 0 else { throw .malformed(path, "has no transformer's block in its text tower") }
        tower.hiddenWidth = try extent(0, of: "\(prefix)blocks.0.mlp.fc1.weight")
        tower.hasLayerScale = contains("\(prefix)blocks.0.ls1.gamma")
        let hasProjection = contains("\(prefix)projection.weight")
        tower.projectionWidth = hasProjection ? try extent(0, of: "\(prefix)projection.weight") : 0
        // A matrix has none, and the same name as its own.
        let canHaveBias = names.vision == .transformers || names.hasLinearTextProjection
        tower.projectionBias = hasProjection && canHaveBias && contains("\(prefix)projection.bias")
        return tower
    }

    private func depth(isText: Bool) -> Int {
        let start = names.blockStart(isText: isText)
        return count { name in
            name.hasPrefix(start) ? Int(name.dropFirst(start.count).prefix { $0.isNumber && $0.isASCII }) : nil
        }
    }
}

extension ViTConfiguration {
    /// Sets the number of heads, which have to divide the width.
    mutating func setHeads(_ count: Int, path: String) throws(CheckpointError) {
        guard count > 0, width % count == 0 else {
            throw .malformed(
                path, "states \(count) attention heads of the vision tower, which do not divide its width of \(width)")
        }
        heads = count
    }

    /// Fits the table of positions to the images: those of the stated size, or square ones.
    mutating func fitTowerPositions(
        rows: Int, stated: Size?, path: String, _ assumptions: inout [String]
    ) throws(CheckpointError) {
        if let stated { imageSize = stated }
        let withPrefix = prefixCount - registerCount
        for prefix in Set([withPrefix, 0]).sorted(by: >) {
            prefixHasPosition = prefix == withPrefix
            if stated != nil, rows == patchCount + prefix { return }
            guard stated == nil else { continue }
            let side = Int(Double(max(0, rows - prefix)).squareRoot().rounded())
            guard side > 0, side * side == rows - prefix else { continue }
            imageSize = Size(height: side * patchSize.height, width: side * patchSize.width)
            assumptions.append(
                "An image of \(imageSize.width) × \(imageSize.height) pixels, for \(side) × \(side) patches.")
            return
        }
        throw .malformed(
            path,
            "has \(rows) positions in its vision tower"
                + (stated.map { ", and images of \($0.width) × \($0.height) pixels have \(patchCount) patches" }
                    ?? ", which is no square grid of patches; a file that states the size of images was expected"))
    }
}

extension TextTowerConfiguration {
    /// Sets the number of heads, which have to divide the width.
    mutating func setHeads(_ count: Int, path: String) throws(CheckpointError) {
        guard count > 0, width % count == 0 else {
            throw .malformed(
                path, "states \(count) attention heads of the text tower, which do not divide its width of \(width)")
        }
        heads = count
    }
}
