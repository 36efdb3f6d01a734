import LibC
import Support

/// The files of one input after the other, in the current directory, which `tools/fuzz-targets` makes for each run.
enum Scratch {
    /// Writes a file and gives its name.
    @discardableResult
    static func write(_ bytes: [UInt8], to name: String) -> String {
        let descriptor = unsafe open(Files.systemPath(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        let count = unsafe bytes.withUnsafeBytes { unsafe LibC.write(descriptor, $0.baseAddress, $0.count) }
        check(descriptor >= 0 && count == bytes.count, "\(name) can be written")
        close(descriptor)
        return name
    }

    /// Copies a file of the package's tests; gives its name.
    @discardableResult
    static func copy(_ fixture: String, to name: String) -> String {
        let root = (0..<3).reduce(#filePath) { path, _ in Files.directory(of: path) }
        guard let bytes = try? Files.bytes(of: Files.join(root, "Tests/Fixtures/\(fixture)")) else {
            fatalError("no \(fixture)")
        }
        if !Files.directory(of: name).isEmpty { try? Files.makeDirectory(Files.directory(of: name)) }
        return write(bytes, to: name)
    }
}
