import Imaging

/// Images that go through a model together, all of one size, with what is known of them.
public struct Batch: Sendable {
    /// The step that the batch belongs to, counted from 0 over all epochs.
    public let step: Int
    /// The epoch, counted from 0.
    public let epoch: Int
    /// Which of the step's batches it is.
    public let part: Int
    /// The images as augmented, not yet normalized; where a sample has several views, they follow each other.
    public let images: [Image]
    /// Each sample's place in the list that the loader was given.
    public let indices: [Int]
    /// Each sample's class; empty where the set has no labels.
    public let labels: [Int]
    /// Each sample's path, relative to the set's root.
    public let paths: [String]

    let normalization: Preprocessing

    /// Writes one image of the batch as the model takes it, (channels, height, width), normalized.
    package func write(_ slot: Int, into output: inout MutableSpan<Float>) {
        normalization.normalize(images[slot], into: &output)
    }
}
