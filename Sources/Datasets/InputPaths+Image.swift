import Imaging
import Support

extension InputPaths.Input {
    /// Whether something may have its name.
    package var isThere: Bool { if case .file(let path) = self { !Files.isMissing(path) } else { true } }

    /// The size of its file; nil where there is none, or it has none.
    package func byteCount() throws(FileError) -> Int? {
        switch self {
        case .file(let path): try Files.statusIfAny(path)?.byteCount
        case .member(let member): member.byteCount
        case .standardInput, .failure: nil
        }
    }

    /// Reads and decodes the image; errors name this input.
    package func image(options: DecodingOptions) throws(InputError) -> Image {
        let bytes = try bytes()
        var options = options
        options.name = path
        do throws(ImageError) {
            return try Image(decoding: bytes, options: options)
        } catch {
            throw InputError(path: path, error)
        }
    }

    /// The content of the file; only the beginning if it is neither PNG nor JPEG.
    package func bytes() throws(InputError) -> [UInt8] {
        if case .failure(let error) = self { throw error }
        do throws(ImageError) {
            switch self {
            case .file(let path): return try Image.bytes(ofFile: path)
            case .member(let member): return try member.imageBytes()
            case .standardInput, .failure: return try Image.bytes(ofDescriptor: 0)
            }
        } catch {
            throw InputError(path: path, error)
        }
    }
}

extension InputError {
    /// The failure to read or decode the image at `path`, and what would let it be read.
    package init(path: String, _ error: ImageError, advice: String? = nil) {
        let kind: Kind = error.isMissingFile ? .noSuchInput : error.isUnreadableFile ? .unreadable : .malformed
        let end = advice.map { "; \($0)" } ?? ""
        self.init(kind: kind, path: path, description: "\(path): \(error)\(end)")
    }
}
