import Imaging

extension InputPaths.Input {
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
            return self == .standardInput ? try Image.bytes(ofDescriptor: 0) : try Image.bytes(ofFile: path)
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
