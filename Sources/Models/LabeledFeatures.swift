import Compute

/// Vectors that stand for images, and the images' classes.
public struct LabeledFeatures: Sendable {
    /// (images, width)
    public let values: Tensor
    /// The class of each.
    public let labels: [Int]

    /// As many rows as labels.
    public init(values: Tensor, labels: [Int]) {
        precondition(
            values.shape.count == 2 && values.shape[0] == labels.count,
            "LabeledFeatures: got \(labels.count) labels for \(values.shape)")
        self.values = values
        self.labels = labels
    }

    /// The length of a vector.
    public var width: Int { values.shape[1] }
    /// The number of images.
    public var count: Int { labels.count }
}

extension LabeledFeatures {
    /// A tenth of each class, but at least one image of each that has two, and the images without them; nil where that leaves
    /// either empty.
    package func holdingOut() -> (kept: LabeledFeatures, heldOut: LabeledFeatures)? {
        let sizes = labels.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        var seen: [Int: Int] = [:]
        var (kept, heldOut): ([Int], [Int]) = ([], [])
        for (row, label) in labels.enumerated() {
            seen[label, default: 0] += 1
            let size = sizes[label] ?? 0
            if size > 1, (seen[label] ?? 0) % min(10, size) == 0 { heldOut.append(row) } else { kept.append(row) }
        }
        return kept.isEmpty || heldOut.isEmpty ? nil : (selecting(kept), selecting(heldOut))
    }

    private func selecting(_ rows: [Int]) -> LabeledFeatures {
        let table = Tensor(shape: [rows.count, width])
        for (target, row) in rows.enumerated() {
            table.assign(values.values(in: row * width..<(row + 1) * width), at: target * width)
        }
        return LabeledFeatures(values: table, labels: rows.map { labels[$0] })
    }
}
