import Support

/// Why an image cannot be read. The description is one sentence without the file's name, which the caller knows.
public enum ImageError: Error, Sendable, Equatable {
    /// The system cannot read the file, for the reason in `errno`.
    case unreadableFile(errno: Int32)
    /// The file is empty.
    case empty
    /// The content is neither PNG nor JPEG: the name of its format, nil if unknown.
    case otherFormat(name: String?)
    /// The header states more pixels than allowed.
    case tooManyPixels(width: Int, height: Int, limit: Int)
    /// A valid file of an unsupported kind: what it is, as a clause.
    case unsupported(String)
    /// The data end before the image does.
    case truncated(format: String)
    /// The data contradict their format: what is wrong, as a clause.
    case corrupt(format: String, reason: String)
    /// There is not enough memory for the image.
    case outOfMemory
}

extension ImageError: CustomStringConvertible {
    /// One sentence: what is wrong, and what would be right unless that is obvious.
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

    /// The description with the advice.
    package func reason(isLenient: Bool) -> String {
        advice(isLenient: isLenient).map { "\(self); \($0)" } ?? description
    }

    /// The option of the command line that lets the image be read, and how; nil where there is none, or where it is given.
    package func advice(isLenient: Bool) -> String? {
        switch self {
        case .tooManyPixels: "--max-pixels sets another limit"
        case .truncated, .corrupt: isLenient ? nil : "--lenient reads it as far as it goes"
        default: nil
        }
    }

    /// Whether the file could not be read, as opposed to not holding a valid image.
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
