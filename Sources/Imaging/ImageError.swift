import Support

/// Why there is no image. The description is one sentence without the name of the file, which the caller knows.
public enum ImageError: Error, Sendable, Equatable {
    /// The system did not hand out the file; `errno` says why.
    case unreadableFile(errno: Int32)
    /// There is not one byte.
    case empty
    /// The content is of another kind than PNG and JPEG: the kind's name, nil where it is not known either.
    case otherFormat(name: String?)
    /// The header announces more pixels than allowed.
    case tooManyPixels(width: Int, height: Int, limit: Int)
    /// A sound file of a kind that is not read: what the file is, as a clause.
    case unsupported(String)
    /// The data end before the image does.
    case truncated(format: String)
    /// The data contradict their format: what is wrong, as a clause.
    case corrupt(format: String, reason: String)
    /// The memory for the image is not to be had.
    case outOfMemory
}

extension ImageError: CustomStringConvertible {
    /// One sentence: what is wrong, and where that is not plain, what would be right.
    public var description: String {
        switch self {
        case .unreadableFile(let errno):
            return SystemError(code: errno).description
        case .empty:
            return "the file is empty; a PNG or JPEG image is needed"
        case .otherFormat(let name?):
            return "this is \(name); swift-vit reads PNG and JPEG"
        case .otherFormat(nil):
            return "this is not an image that swift-vit knows; it reads PNG and JPEG"
        case .tooManyPixels(let width, let height, let limit):
            return "the image has \(width) × \(height) pixels, more than the limit of \(limit)"
        case .unsupported(let reason):
            return "the image cannot be read: \(reason)"
        case .truncated(let format):
            return "the \(format) data end before the image does"
        case .corrupt(let format, let reason):
            return "the \(format) data are damaged: \(reason)"
        case .outOfMemory:
            return "there is not enough memory for the image"
        }
    }

    /// Whether the file could not be read at all, as opposed to holding something that is no sound image.
    public var isUnreadableFile: Bool {
        if case .unreadableFile = self { return true }
        return false
    }

    /// Whether there is no such file.
    public var isMissingFile: Bool {
        if case .unreadableFile(let errno) = self { return SystemError(code: errno).isMissing }
        return false
    }
}
