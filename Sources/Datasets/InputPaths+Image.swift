import Imaging

extension InputPaths.Input {
    /// Reads and decodes the image; the error names this input and says why it gives none.
    package func image(options: DecodingOptions) throws(InputError) -> Image {
        if case .failure(let error) = self { throw error }
        do throws(ImageError) {
            return self == .standardInput
                ? try Image(contentsOfDescriptor: 0, options: options)
                : try Image(contentsOfFile: path, options: options)
        } catch {
            throw InputError(path: path, error)
        }
    }
}

extension InputError {
    /// Why the file at `path` gave no image.
    package init(path: String, _ error: ImageError) {
        let kind: Kind = error.isMissingFile ? .noSuchInput : error.isUnreadableFile ? .unreadable : .malformed
        self.init(kind: kind, path: path, description: "\(path): \(error)")
    }
}
