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
