import Datasets
import Imaging
import Support

/// Makes small versions of images for a page, as JPEGs in base64.
struct Thumbnails {
    /// The longer side, in pixels; 0: there are none.
    let side: Int
    /// The maximum total size in bytes; beyond it, only some images have one.
    let byteCount: Int
    let threads: Int

    /// A text per image; empty if the image cannot be read or the limit is reached.
    ///
    /// - Parameter missing: receives the indices of the images that would have a text but cannot be read, if there are any.
    func texts(of images: [InputPaths.Input], missing: ([Int]) -> Void = { _ in }) throws -> [String] {
        var result = [String](repeating: "", count: images.count)
        guard side > 0, !images.isEmpty else { return result }
        // A sample gives their average size; then as many as the limit allows are spread over all images.
        var sampled = 0
        let sample = spread(min(64, images.count), over: images.count)
        try forEach(of: sample, images) { sampled += $1.utf8.count }
        let average = max(sampled / sample.count, 1)
        var left = byteCount
        var unreadable: [Int] = []
        try forEach(of: spread(min(images.count, max(left / average, 1)), over: images.count), images) { index, text in
            if text.isEmpty { unreadable.append(index) }
            guard text.utf8.count <= left else { return }
            left -= text.utf8.count
            result[index] = text
        }
        if !unreadable.isEmpty { missing(unreadable) }
        return result
    }

    private func spread(_ wanted: Int, over count: Int) -> [Int] { (0..<wanted).map { $0 * count / wanted } }

    private func forEach(of indices: [Int], _ images: [InputPaths.Input], _ body: (Int, String) -> Void) throws {
        let side = side
        let stream = PreparedInputs(
            inputs: indices.map { images[$0] }, groupSize: 16, threads: threads
        ) { (input) throws(InputError) in
            let image = try input.image(options: DecodingOptions())
            let scale = min(1, Double(side) / Double(max(image.width, image.height)))
            func scaled(_ extent: Int) -> Int { max(1, Int((Double(extent) * scale).rounded())) }
            let small = image.resized(
                width: scaled(image.width), height: scaled(image.height), interpolation: .bilinear)
            return base64(small.encodedJPEG(quality: 75))
        }
        try stream.forEachGroup { group in
            for item in group { body(indices[item.index], (try? item.result.get()) ?? "") }
        }
    }
}
