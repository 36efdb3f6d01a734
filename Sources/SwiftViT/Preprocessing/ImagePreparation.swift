import Compute
import Datasets
import Imaging
import Models
import Support

/// Prepares images for a model: decodes, resizes and crops them.
struct ImagePreparation: Sendable {
    let imageSize: Size
    let preprocessing: Preprocessing
    let decoding: DecodingOptions

    /// Reads, decodes, resizes and crops one image.
    func prepare(_ input: InputPaths.Input) throws(InputError) -> PreparedImage {
        try prepare(input.bytes(), path: input.path)
    }

    /// Decodes, resizes and crops the image in `bytes`; `path` names it in errors.
    func prepare(_ bytes: [UInt8], path: String) throws(InputError) -> PreparedImage {
        let prepared: PreparedImage
        var options = decoding
        options.name = path
        do throws(ImageError) {
            prepared = try preprocessing.prepare(decoding: bytes, options: options)
        } catch {
            throw InputError(path: path, error, advice: error.advice(isLenient: decoding.onDamage != nil))
        }
        return try checked(prepared, path: path)
    }

    /// Resizes and crops an image in memory; `path` names it in errors.
    func prepare(_ image: Image, path: String) throws(InputError) -> PreparedImage {
        try checked(preprocessing.prepared(image), path: path)
    }

    private func checked(_ prepared: PreparedImage, path: String) throws(InputError) -> PreparedImage {
        let image = prepared.image
        guard image.width == imageSize.width, image.height == imageSize.height else {
            throw .malformed(
                path,
                "is \(image.width) × \(image.height) pixels after preprocessing, and the model takes "
                    + "\(imageSize.width) × \(imageSize.height); use a preprocessing that resizes")
        }
        return prepared
    }
}

extension InputError {
    /// The model's output for the image at `path` is not finite.
    static func notFinite(_ path: String, weights: String) -> InputError {
        .malformed(path, "the model's output is not a number; the weights in \(weights) may be damaged")
    }
}

extension Preprocessing {
    /// Writes the normalised pixels of a prepared image into `tensor`, which has exactly its size.
    func normalize(_ image: Image, into tensor: Tensor) {
        tensor.withMutableNumbers { normalize(image, into: &$0) }
    }
}
