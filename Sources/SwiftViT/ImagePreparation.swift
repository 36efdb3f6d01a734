import Checkpoints
import Compute
import Datasets
import Imaging
import Models
import Support

/// Brings pictures to what a model takes: decoded, resized and cropped.
struct ImagePreparation: Sendable {
    let imageSize: Size
    let preprocessing: Preprocessing
    let decoding: DecodingOptions

    /// Reads, decodes, resizes and crops one picture.
    func prepare(_ input: InputPaths.Input) throws(InputError) -> PreparedImage {
        try prepare(input.bytes(), path: input.path)
    }

    /// Decodes, resizes and crops the picture that was read as `bytes`; `path` is what an error calls it.
    func prepare(_ bytes: [UInt8], path: String) throws(InputError) -> PreparedImage {
        let prepared: PreparedImage
        do throws(ImageError) {
            prepared = try preprocessing.prepare(decoding: bytes, options: decoding)
        } catch {
            throw InputError(path: path, error)
        }
        return try checked(prepared, path: path)
    }

    /// Resizes and crops a picture in memory; `path` is what an error calls it.
    func prepare(_ image: Image, path: String) throws(InputError) -> PreparedImage {
        try checked(preprocessing.prepared(image), path: path)
    }

    private func checked(_ prepared: PreparedImage, path: String) throws(InputError) -> PreparedImage {
        let image = prepared.image
        guard image.width == imageSize.width, image.height == imageSize.height else {
            throw .malformed(
                path,
                "comes out of the preprocessing as \(image.width) × \(image.height) pixels, and the "
                    + "model takes \(imageSize.width) × \(imageSize.height); have it resized")
        }
        return prepared
    }
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
