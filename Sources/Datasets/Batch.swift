import Imaging

/// Images that go through a model together, all of one size, with what is known of them.
public struct Batch: Sendable {
    /// The step that the batch belongs to, counted from 0 over all epochs.
    public let step: Int
    /// The epoch, counted from 0.
    public let epoch: Int
    /// Which of the step's batches it is.
    public let part: Int
    /// The images as augmented, not yet normalised.
    public let images: [Image]
    /// Each image's place in the list of samples that the loader was given.
    public let indices: [Int]
    /// Each image's class; empty where the set has no labels.
    public let labels: [Int]
    /// Each image's path, relative to the set's root.
    public let paths: [String]

    let normalization: Preprocessing

    /// How many floats the batch takes: images · channels · height · width.
    public var elementCount: Int { images.reduce(0) { $0 + $1.pixels.count } }

    /// Writes the batch as the model takes it: (B, channels, height, width).
    package func write(into output: UnsafeMutableBufferPointer<Float>) {
        for slot in images.indices { unsafe write(slot, into: output) }
    }

    /// Writes one image of the batch to its place in `output`, (B, channels, height, width); different images may be
    /// written on different threads.
    package func write(_ slot: Int, into output: UnsafeMutableBufferPointer<Float>) {
        let count = images[slot].pixels.count
        precondition(
            count == images[0].pixels.count,
            "Batch.write: image \(slot) has \(count) values, the first has \(images[0].pixels.count); expected one size"
        )
        precondition(
            output.count >= images.count * count,
            "Batch.write: expected workspace for \(images.count * count) values, got \(output.count)")
        unsafe normalization.normalize(
            images[slot], into: UnsafeMutableBufferPointer(rebasing: output[slot * count..<(slot + 1) * count]))
    }
}
