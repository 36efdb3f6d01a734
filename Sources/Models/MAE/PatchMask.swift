/// Which patches of a batch are hidden from the encoder.
///
/// He et al. 2022, section 3 and appendix A.1: each patch gets a random number; sorted by it, the first patches stay.
public struct PatchMask: Sendable, Equatable {
    /// The patches that stay, in the order in which the encoder sees them (B, K).
    public let kept: [Int32]
    /// For each patch its rank by noise (B, L): below K it stays, as the encoder's patch of that number.
    public let restore: [Int32]
    /// Patches of an image (L).
    public let patchCount: Int
    /// Patches of an image that stay (K).
    public let keptCount: Int

    /// The mask of `noise` (B, L): for each image the `keptCount` patches with the smallest noise stay; of equals, the
    /// one that comes first.
    public init(noise: [Float], patchCount: Int, keptCount: Int) {
        precondition(
            patchCount > 0 && noise.count % patchCount == 0 && (0...patchCount).contains(keptCount),
            "PatchMask: \(noise.count) random numbers for \(patchCount) patches of which \(keptCount) stay")
        var kept: [Int32] = []
        var restore = [Int32](repeating: 0, count: noise.count)
        for first in stride(from: 0, to: noise.count, by: patchCount) {
            let order = (0..<patchCount).sorted { (noise[first + $0], $0) < (noise[first + $1], $1) }
            for (rank, patch) in order.enumerated() { restore[first + patch] = Int32(rank) }
            kept += order.prefix(keptCount).map { Int32($0) }
        }
        self.kept = kept
        self.restore = restore
        self.patchCount = patchCount
        self.keptCount = keptCount
    }

    /// How many of `patchCount` patches stay at a mask ratio: truncated from a product in double precision.
    public static func keptCount(of patchCount: Int, maskRatio: Double) -> Int {
        Int(Double(patchCount) * (1 - maskRatio))
    }

    /// The patches by rank (B, L): those that stay in their order, then the removed ones.
    package var order: [Int32] {
        var order = [Int32](repeating: 0, count: restore.count)
        for (place, rank) in restore.enumerated() {
            let first = place / patchCount * patchCount
            order[first + Int(rank)] = Int32(place - first)
        }
        return order
    }

    /// The removed patches by rank (B, L − K).
    package var removedPatches: [Int32] {
        let order = order
        return stride(from: 0, to: order.count, by: patchCount).flatMap { order[($0 + keptCount)..<($0 + patchCount)] }
    }

    /// Numbers for the removed patches of one image, by rank, at the places of these patches; 0 where a patch stays.
    package func filled(_ values: [Float], image: Int) -> [Float] {
        let removedCount = patchCount - keptCount
        let length = values.count / max(1, removedCount)
        var result = [Float](repeating: 0, count: patchCount * length)
        for patch in 0..<patchCount {
            let rank = Int(restore[image * patchCount + patch]) - keptCount
            guard rank >= 0 else { continue }
            result.replaceSubrange(
                patch * length..<(patch + 1) * length, with: values[rank * length..<(rank + 1) * length])
        }
        return result
    }

    /// Where each patch is (B, L) among tokens of which the removed patches come first, by rank, then `prefix` others, then
    /// the patches that stay.
    package func places(prefix: Int) -> [Int32] {
        restore.map { Int($0) < keptCount ? $0 + Int32(patchCount - keptCount + prefix) : $0 - Int32(keptCount) }
    }

    /// Whether each patch is removed (B, L): 0 is keep, 1 is remove.
    public var removed: [Float] { restore.map { Int($0) < keptCount ? 0 : 1 } }

    /// The number of images.
    public var imageCount: Int { restore.count / patchCount }

    /// Patches removed from all images together.
    public var removedCount: Int { restore.count - kept.count }
}
