import LibC

/// Why a system call failed.
package struct SystemError: Error, Equatable, CustomStringConvertible {
    /// The system's number for it (`errno`).
    package let code: Int32

    package init(code: Int32) { self.code = code }

    /// The last failure of this thread.
    package static var last: SystemError { SystemError(code: errno) }

    /// Whether nothing exists under the name.
    package var isMissing: Bool { code == ENOENT || code == ENOTDIR }

    /// The system's words: "No such file or directory".
    package var description: String {
        unsafe strerror(code).map { unsafe String(cString: $0) } ?? "system error \(code)"
    }

    /// The same as the end of a sentence: "no such file", "permission denied".
    package var clause: String {
        isMissing ? "no such file" : description.prefix(1).lowercased() + description.dropFirst()
    }
}
