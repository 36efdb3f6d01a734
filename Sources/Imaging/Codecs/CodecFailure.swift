import CImageCodecs

extension ImageError {
    /// The error that a codec reported for a file of `format`.
    init(_ failure: codecs_error, format: String) {
        switch failure.status {
        case CODECS_TRUNCATED: self = .truncated(format: format)
        case CODECS_UNSUPPORTED:
            self = .unsupported("its kind of \(format) is not one that swift-vit reads (\(failure.reason))")
        case CODECS_OUT_OF_MEMORY: self = .outOfMemory
        default: self = .corrupt(format: format, reason: failure.reason)
        }
    }
}

extension codecs_error {
    /// The message as a clause: the libraries capitalize theirs.
    var reason: String {
        let text = unsafe withUnsafeBytes(of: message) {
            unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        let isWord = text.dropFirst().first?.isLowercase == true
        return isWord ? text.prefix(1).lowercased() + text.dropFirst() : text
    }
}
