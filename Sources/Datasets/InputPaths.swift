import Support

/// The inputs that the PATH arguments of a command stand for, in the order of the results.
///
/// - A file is an input, whatever its name or content.
/// - A directory stands for the images below it, sorted by path (see `ImageSignature`); one without images, for those of the
///   tar archives below it.
/// - A tar archive stands for the images in it, sorted by path, and `ARCHIVE/NAME` for a file or folder in it.
/// - Where there is no such file, `shard-{000..127}.tar` stands for as many paths.
/// - `@list.txt` stands for the paths in that file, one per line or each ended by a NUL (`find -print0`); each is a file or
///   a directory, relative to the current directory like any other argument. `@-` reads the list from standard input.
/// - `-` is one image from standard input.
///
/// Names of files are bytes: one that is no part of UTF-8 is written `\xHH`, and a backslash that would begin such text is
/// written `\x5C`. Arguments and lists name a file by its own bytes, or where there is none, by what is written for it.
public struct InputPaths: Sendable {
    /// One input of a command.
    public enum Input: Equatable, Sendable {
        /// A file to decode.
        case file(String)
        /// A file in an archive, to decode.
        case member(ArchiveMember)
        /// One image, to be read from standard input.
        case standardInput
        /// An argument or directory entry that is no readable image, in its place among the others.
        case failure(InputError)

        /// The path as printed in results; standard input is "-".
        public var path: String {
            switch self {
            case .file(let path): path
            case .member(let member): member.path
            case .standardInput: "-"
            case .failure(let error): error.path
            }
        }
    }

    /// The inputs in order.
    public internal(set) var inputs: [Input] = []
    let archives: Archives

    /// Expands the arguments of a command.
    ///
    /// A bad argument among others becomes a `.failure` in its place, so that it does not end a run over many.
    /// Errors: `InputError` if a list cannot be read, or if no argument yields an input.
    public init(expanding arguments: [String]) throws(InputError) {
        try self.init(expanding: arguments, archives: Archives())
    }

    init(expanding arguments: [String], archives: Archives) throws(InputError) {
        self.archives = archives
        for argument in arguments {
            if argument == "-" {
                appendStandardInput()
            } else if argument.utf8.first == UInt8(ascii: "@"), argument.utf8.count > 1 {
                try appendList(String(Substring(argument.utf8.dropFirst())))
            } else {
                append(path: argument)
            }
        }
        if inputs.allSatisfy({ if case .failure = $0 { true } else { false } }),
            case .failure(let error) = inputs.first
        {
            throw error
        }
    }

    private mutating func appendStandardInput() {
        if inputs.contains(.standardInput) {
            let text = "-: standard input was already read; give `-` once"
            inputs.append(.failure(InputError(kind: .unreadable, path: "-", description: text)))
        } else {
            inputs.append(.standardInput)
        }
    }

    private mutating func append(path: String) {
        let path = Files.named(path)
        do {
            let status = try Files.status(path)
            if status.isDirectory {
                append(directory: path)
            } else if !status.isRegularFile || !appendArchive(path) {
                inputs.append(.file(path))
            }
        } catch {
            if error.isMissing, appendMembers(path) || appendRanges(path) { return }
            inputs.append(.failure(InputError(error, opening: path, expected: Self.expected)))
        }
    }

    private static let expected = "an image file, a directory of images or a .tar"

    private mutating func append(directory path: String) {
        let walk = ImageSignature.walk(path)
        var found = walk.files.map { Input.file($0) } + walk.failures.map { Input.failure(InputError($0)) }
        if !walk.failures.isEmpty { found.sort { $0.path.precedesBytewise($1.path) } }
        inputs += found
        if !found.isEmpty || appendArchives(below: path) { return }
        let text = "\(path): holds no images; expected a directory with PNG or JPEG files in it or below it"
        inputs.append(.failure(InputError(kind: .noImages, path: path, description: text)))
    }

    private mutating func appendRanges(_ path: String) -> Bool {
        guard let paths = NumberRanges.expanded(path) else { return false }
        for path in paths { append(path: path) }
        return true
    }

    private mutating func appendList(_ file: String) throws(InputError) {
        let bytes = try Self.bytes(of: file, expected: "a text file with one path per line")
        let before = inputs.count
        for entry in Self.entries(ofList: bytes) {
            append(path: Files.text(ofName: entry))
        }
        if inputs.count == before {
            throw InputError(
                kind: .noImages, path: file, description: "\(file): the list is empty; expected one path per line")
        }
    }

    /// The paths of a list: ended by NULs where it has any, and then any other byte may be in a path; else a line each.
    static func entries(ofList bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        bytes.contains(0) ? bytes.split(separator: 0) : TextLines.split(bytes).filter { !TextLines.isBlank($0) }
    }

    /// The content of a small file, or of standard input if `path` is "-"; `expected` describes it in errors.
    package static func bytes(of path: String, expected: String) throws(InputError) -> [UInt8] {
        do {
            return path == "-" ? try InputFile.standardInput.readToEnd() : try Files.bytes(of: path)
        } catch {
            throw InputError(error, opening: path, expected: expected)
        }
    }
}
