import Support

/// What the PATH arguments of a command stand for: single images, in the order in which results are given.
///
/// - A file is an input whatever it is called or holds.
/// - A directory stands for the images below it, sorted by path (see `ImageSignature`).
/// - `@list.txt` stands for the paths in that file, one a line, each a file or a directory, relative to the current
///   directory like any other argument; `@-` reads the list from standard input.
/// - `-` is one image from standard input.
public struct InputPaths: Sendable {
    /// One input of a command.
    public enum Input: Equatable, Sendable {
        /// A file to decode.
        case file(String)
        /// One image, to be read from standard input.
        case standardInput
        /// An argument or an entry of a directory that gives no image, in its place among the others.
        case failure(InputError)

        /// The path as it stands in results; standard input is "-".
        public var path: String {
            switch self {
            case .file(let path): path
            case .standardInput: "-"
            case .failure(let error): error.path
            }
        }
    }

    /// The inputs in order.
    public private(set) var inputs: [Input] = []

    /// Expands the arguments of a command.
    ///
    /// One bad argument among others becomes a `.failure` in its place, so that it does not end a run over many.
    /// Errors: `InputError` where a list cannot be read, and where no argument gives a single input.
    public init(expanding arguments: [String]) throws(InputError) {
        for argument in arguments {
            if argument == "-" {
                appendStandardInput()
            } else if argument.utf8.first == UInt8(ascii: "@"), argument.utf8.count > 1 {
                try appendList(String(argument.dropFirst()))
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
        do {
            guard try Files.status(path).isDirectory else {
                inputs.append(.file(path))
                return
            }
        } catch {
            inputs.append(
                .failure(
                    InputError(
                        error, opening: path, expected: "an image file or a directory of images")))
            return
        }
        let walk = ImageSignature.walk(path)
        var found = walk.files.map { Input.file($0) } + walk.failures.map { Input.failure(InputError($0)) }
        if !walk.failures.isEmpty { found.sort { $0.path.precedesBytewise($1.path) } }
        if found.isEmpty {
            let text = "\(path): holds no images; expected a directory with PNG or JPEG files in it or below it"
            found = [.failure(InputError(kind: .noImages, path: path, description: text))]
        }
        inputs += found
    }

    private mutating func appendList(_ file: String) throws(InputError) {
        let bytes = try Self.bytes(of: file, expected: "a text file with a path a line")
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw InputError(
                kind: .unreadable, path: file,
                description: "\(file): is not UTF-8 text; expected a list with a path a line")
        }
        let before = inputs.count
        // A byte-order mark and carriage returns come with lists written on Windows.
        let unmarked = text.unicodeScalars.first == "\u{FEFF}" ? Substring(text.unicodeScalars.dropFirst()) : text[...]
        for line in unmarked.split(whereSeparator: \.isNewline) where !line.allSatisfy(\.isWhitespace) {
            append(path: String(line))
        }
        if inputs.count == before {
            throw InputError(
                kind: .noImages, path: file, description: "\(file): the list is empty; expected a path a line")
        }
    }

    /// The content of a small file, or of standard input where `path` is "-"; `expected` says what it should be.
    package static func bytes(of path: String, expected: String) throws(InputError) -> [UInt8] {
        do {
            return path == "-" ? try InputFile.standardInput.readToEnd() : try Files.bytes(of: path)
        } catch {
            throw InputError(error, opening: path, expected: expected)
        }
    }
}
