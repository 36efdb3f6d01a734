import Imaging
import Synchronization

/// The images of a data set, decoded when asked for, and kept in memory as far as they fit.
///
/// What does not fit is decoded each time; nothing is thrown out for something newer, because training comes to every
/// image equally often. Results never depend on what is in memory.
package final class ImageStore: Sendable {
    /// An image, or why there is none.
    package typealias Outcome = Result<Image, ImageError>

    private struct Cache: Sendable {
        var images: [Image?]
        var bytes = 0
        /// Files that failed are not tried again.
        var failures: [Int: ImageError] = [:]
    }

    private let root: String
    private let samples: [ImageDataset.Sample]
    private let decoding: DecodingOptions
    private let capacity: Int
    private let cache: Mutex<Cache>

    /// - Parameters:
    ///   - root: what the samples' paths are relative to.
    ///   - memory: how many bytes of decoded images are kept.
    package init(root: String, samples: [ImageDataset.Sample], decoding: DecodingOptions, memory: Int) {
        self.root = root
        self.samples = samples
        self.decoding = decoding
        capacity = memory
        cache = Mutex(Cache(images: memory > 0 ? Array(repeating: nil, count: samples.count) : []))
    }

    /// How many bytes of decoded images are held.
    package var bytesInMemory: Int { cache.withLock { $0.bytes } }

    /// How many images there are.
    package var count: Int { samples.count }

    /// The image of a sample, on any thread.
    package func image(at index: Int) -> Outcome {
        let known: Outcome? = cache.withLock { cache in
            if let failure = cache.failures[index] { return .failure(failure) }
            guard index < cache.images.count else { return nil }
            return cache.images[index].map { .success($0) }
        }
        if let known { return known }
        let file = ImageDataset.file(samples[index].path, in: root)
        let outcome: Outcome
        do throws(ImageError) {
            outcome = .success(try Image(contentsOfFile: file, options: decoding))
        } catch {
            outcome = .failure(error)
        }
        cache.withLock { keep(outcome, at: index, in: &$0) }
        return outcome
    }

    private func keep(_ outcome: Outcome, at index: Int, in cache: inout Cache) {
        switch outcome {
        case .failure(let error): cache.failures[index] = error
        case .success(let image):
            let isRoom = index < cache.images.count && cache.bytes + image.pixels.count <= capacity
            // Two threads may have decoded the same image.
            guard isRoom, cache.images[index] == nil else { return }
            cache.images[index] = image
            cache.bytes += image.pixels.count
        }
    }
}
