import Checkpoints
import Compute
import Datasets
import Imaging
import Models

/// Brings pictures to what a model takes: decoded, resized and cropped.
struct ImagePreparation: Sendable {
    let imageSize: Models.Extent
    let preprocessing: Preprocessing
    let decoding: DecodingOptions

    /// Reads, decodes, resizes and crops one picture.
    func prepare(_ input: InputPaths.Input) throws(InputError) -> PreparedImage {
        try prepare(input.image(options: decoding), path: input.path)
    }

    /// Resizes and crops a picture in memory; `path` is what an error calls it.
    func prepare(_ image: Image, path: String) throws(InputError) -> PreparedImage {
        let prepared = preprocessing.prepare(image)
        guard prepared.width == imageSize.width, prepared.height == imageSize.height else {
            throw .malformed(
                path,
                "comes out of the preprocessing as \(prepared.width) × \(prepared.height) pixels, and the "
                    + "model takes \(imageSize.width) × \(imageSize.height); have it resized")
        }
        return PreparedImage(width: image.width, height: image.height, image: prepared)
    }
}

/// A picture that was resized and cropped for the model, still in 8 bits.
struct PreparedImage: Sendable {
    /// The size that it had before.
    let width: Int
    let height: Int
    let image: Image
}

extension InputError {
    /// The picture at `path` made a model answer with something that is no number.
    static func notFinite(_ path: String, weights: String) -> InputError {
        .malformed(path, "the model's answer is not a number; the weights in \(weights) may be damaged")
    }
}

extension Preprocessing {
    /// Writes a prepared picture into `tensor`, which has exactly its extent.
    func normalize(_ image: Image, into tensor: Tensor) {
        unsafe normalize(image, into: UnsafeMutableBufferPointer(start: tensor.pointer, count: tensor.count))
    }
}
