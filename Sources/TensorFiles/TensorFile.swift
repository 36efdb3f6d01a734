import Support

/// The tensors of a file, or of several through their index, and what is noted beside them.
package struct TensorFile: Sendable {
    /// How the tensors are packed.
    package enum Format: String, Sendable {
        case safetensors
        case torch = "PyTorch"
        case numpy = "NumPy"
    }

    package let path: String
    package let format: Format
    /// All tensors in the file, wherever in it they lie.
    package var tensors: [StoredTensor]
    /// Tensors whose numbers cannot be read.
    package internal(set) var unreadable: [UnreadableTensor] = []
    /// What the file holds, in words, where it is not just tensors by name.
    package internal(set) var summary: String?
    /// Text, numbers and truth values beside the tensors by name; one in a dictionary is called `args.lr`.
    package internal(set) var notes: [String: JSON] = [:]
    /// The outermost key that the tensors lie under (`model`, `state_dict`), where there is one.
    package var wrapper: String? { tensors.first?.location.first }
    /// The number of files.
    package internal(set) var fileCount = 1

    /// A tensor whose numbers cannot be read: complex, sparse, on no device.
    package struct UnreadableTensor: Sendable {
        /// The keys of the dictionaries around it, outermost first, and its name in the innermost.
        package var location: [String]
        package var name: String
        /// The type of its numbers, or the function that makes it.
        package var type: String

        package var fullName: String { TensorFile.path(location, name) }
    }

    /// Opens a file of tensors, or several through their index; the content decides on the format.
    ///
    /// Nothing is copied: numbers are mapped, and read when they are asked for.
    package static func open(_ path: String) throws(FileError) -> TensorFile {
        if path.hasSuffix(".index.json") { return try ShardIndex.read(path, open: openSingle) }
        return try openSingle(path)
    }

    private static func openSingle(_ path: String) throws(FileError) -> TensorFile {
        let file = try MappedFile(
            path, expected: "safetensors, PyTorch's zip format or NumPy's npz", isWritable: true)
        if SafetensorsReader.recognizes(file.bytes) {
            return TensorFile(path: path, format: .safetensors, tensors: try SafetensorsReader.read(file))
        }
        if ZipArchive.recognizes(file.bytes) { return try openArchive(file) }
        if LegacyTorchReader.recognizes(file.bytes) { return try LegacyTorchReader.read(file) }
        if file.bytes.starts(with: [0x80]) {
            throw .malformed(
                path,
                "is a bare pickle, or damaged and in torch's format from before version 1.6; "
                    + "torch.save(model.state_dict(), …) makes a file that can be read")
        }
        throw .malformed(path, "is \(guess(file.bytes)); safetensors, PyTorch's zip format and NumPy's npz can be read")
    }

    /// A tensor's name with the keys around it before it.
    static func path(_ location: [String], _ name: String) -> String {
        location.isEmpty ? name : location.joined(separator: ".") + "." + name
    }

    private static func openArchive(_ file: MappedFile) throws(FileError) -> TensorFile {
        let archive = try ZipArchive(file)
        if let root = TorchReader.root(of: archive) { return try TorchReader.read(archive, root: root) }
        let tensors = try NumPyArchive.read(archive)
        guard !tensors.isEmpty else {
            throw .malformed(
                file.path, "is a zip archive without weights; torch's data.pkl or .npy arrays were expected")
        }
        return TensorFile(path: file.path, format: .numpy, tensors: tensors)
    }

    private static func guess(_ bytes: Bytes) -> String {
        if bytes.starts(with: Array("version https://git-lfs".utf8)) {
            return "a pointer of Git LFS, not the weights (fetch them with git lfs pull)"
        }
        if bytes.starts(with: [0x89] + Array("HDF".utf8)) { return "an HDF5 file (Keras)" }
        if bytes.starts(with: Array("GGUF".utf8)) { return "a GGUF file" }
        if bytes.starts(with: [0x93] + Array("NUMPY".utf8)) { return "a single NumPy array" }
        if bytes.slice(257, 5)?.array == Array("ustar".utf8) { return "a tar archive" }
        if bytes.starts(with: [UInt8(ascii: "{")]) { return "a JSON file" }
        return "no known weights file"
    }
}
