import LibC

/// Why a system call failed.
package struct SystemError: Error, Equatable, CustomStringConvertible {
    /// The system's number for it (`errno`).
    package let code: Int32

    package init(code: Int32) { self.code = code }

    /// The last failure of this thread.
    package static var last: SystemError { SystemError(code: errno) }

    /// A file that is read whole would be endless, or would ask for input: what was opened is no regular file and no pipe.
    package static let isNoFile = SystemError(code: -1)

    /// Whether nothing exists under the name. Of everything else, it is unknown what exists there.
    package var isMissing: Bool { code == ENOENT || code == ENOTDIR }

    /// The system's words: "No such file or directory".
    package var description: String {
        if self == .isNoFile { return "Not a regular file or a pipe" }
        return unsafe strerror(code).map { unsafe String(cString: $0) } ?? "system error \(code)"
    }

    /// The same as the end of a sentence: "no such file", "permission denied".
    package var clause: String {
        isMissing ? "no such file" : description.prefix(1).lowercased() + description.dropFirst()
    }
}
