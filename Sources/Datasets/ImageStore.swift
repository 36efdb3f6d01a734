import Imaging
import Support

/// The images of a data set, decoded on demand and kept in memory as far as they fit.
///
/// What does not fit is decoded each time, as far as needed. Nothing is evicted, because training uses every image
/// equally often. Results never depend on what is in memory.
package final class ImageStore: Sendable {
    /// An image, or why there is none.
    package typealias Outcome = Result<Image, ImageError>

    private struct Cache: Sendable {
        var images: [Image?]
        var bytes = 0
        var failures: [Int: ImageError] = [:]
        var damaged: Set<Int> = []
        /// What `takeDamaged` has not given yet.
        var newlyDamaged: [Int: ImageError] = [:]
    }

    private let dataset: ImageDataset
    private let samples: [ImageDataset.Sample]
    private let decoding: DecodingOptions
    private let capacity: Int
    private let cache: Locked<Cache>

    /// - Parameters:
    ///   - samples: images of `dataset`.
    ///   - memory: the maximum size of the decoded images, in bytes.
    package init(
        _ dataset: ImageDataset, samples: [ImageDataset.Sample], decoding: DecodingOptions, memory: Int
    ) {
        self.dataset = dataset
        self.samples = samples
        self.decoding = decoding
        capacity = memory
        cache = Locked(Cache(images: memory > 0 ? Array(repeating: nil, count: samples.count) : []))
    }

    /// The size of the decoded images in memory.
    package var bytesInMemory: Int { cache.withLock { $0.bytes } }

    /// Whether damaged images are read as far as they go.
    package var isLenient: Bool { decoding.onDamage != nil }

    /// The number of images.
    package var count: Int { samples.count }

    /// The image of a sample; may be called on any thread.
    package func image(at index: Int) -> Outcome {
        result(at: index) { image in
            image
        } orOfFile: { (bytes, options) throws(ImageError) in
            try Image(decoding: bytes, options: options)
        }
    }

    /// The result of `fromImage` for the image of a sample; may be called on any thread.
    ///
    /// If the image will not be kept in memory, `fromFile` is called with the file instead, which must return the same.
    package func result(
        at index: Int, of fromImage: (Image) -> Image,
        orOfFile fromFile: ([UInt8], DecodingOptions) throws(ImageError) -> Image
    ) -> Outcome {
        let known: (outcome: Outcome?, free: Int) = cache.withLock { cache in
            let free = capacity - cache.bytes
            if let failure = cache.failures[index] { return (.failure(failure), free) }
            guard index < cache.images.count else { return (nil, free) }
            return (cache.images[index].map { .success($0) }, free)
        }
        if let outcome = known.outcome { return outcome.map(fromImage) }
        do throws(ImageError) {
            let decoding = options(for: index)
            let bytes = try dataset.imageBytes(of: samples[index])
            // The size of a PNG is known once it is decoded.
            guard known.free > 0, Image.byteCount(ofJPEG: bytes, options: decoding) ?? 0 <= known.free else {
                return .success(try fromFile(bytes, decoding))
            }
            let image = try Image(decoding: bytes, options: decoding)
            cache.withLock { keep(image, at: index, in: &$0) }
            return .success(fromImage(image))
        } catch {
            // Files that failed are not tried again.
            cache.withLock { $0.failures[index] = error }
            return .failure(error)
        }
    }

    /// The images that were read in spite of damage, each once, since this was last called; in the order of the samples.
    package func takeDamaged() -> [BatchLoader.Unreadable] {
        let found = cache.withLock { cache in
            defer { cache.newlyDamaged = [:] }
            return cache.newlyDamaged
        }
        return found.sorted { $0.key < $1.key }.map { index, damage in
            .init(path: samples[index].path, reason: "\(damage); it is read as far as it goes")
        }
    }

    private func options(for index: Int) -> DecodingOptions {
        var options = decoding
        options.name = dataset.file(of: samples[index])
        guard let onDamage = decoding.onDamage else { return options }
        options.onDamage = { name, damage in
            onDamage(name, damage)
            self.cache.withLock { cache in
                if cache.damaged.insert(index).inserted { cache.newlyDamaged[index] = damage }
            }
        }
        return options
    }

    private func keep(_ image: Image, at index: Int, in cache: inout Cache) {
        let fits = index < cache.images.count && cache.bytes + image.pixels.count <= capacity
        // Two threads may have decoded the same image.
        guard fits, cache.images[index] == nil else { return }
        cache.images[index] = image
        cache.bytes += image.pixels.count
    }
}
