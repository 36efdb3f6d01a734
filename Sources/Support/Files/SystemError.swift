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
    ///
    /// A name that is too long for the file system names nothing; a path that is too long as a whole may still name a file.
    package var isMissing: Bool { code == ENOENT || code == ENOTDIR || isTooLong }

    /// Whether a name, or a whole path, is longer than the system takes.
    package var isTooLong: Bool { code == ENAMETOOLONG }

    /// The system's words: "No such file or directory".
    package var description: String {
        if self == .isNoFile { return "Not a regular file or a pipe" }
        return unsafe strerror(code).map { unsafe String(cString: $0) } ?? "system error \(code)"
    }

    /// Says that nothing has this name: "no such file or directory".
    package var absence: String { isTooLong ? "no such file: the name is too long" : "no such file or directory" }

    /// The same as the end of a sentence: "no such file", "permission denied".
    package var clause: String {
        isMissing && !isTooLong ? "no such file" : description.prefix(1).lowercased() + description.dropFirst()
    }
}
