import Support
import TensorFiles
import TestTools
import Testing

/// Files that break their format end in one sentence that names the file and the fault, never in a trap.
struct MalformedTests {
    private func error(_ bytes: [UInt8], _ name: String = "model.safetensors") throws -> FileError {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(bytes, to: name)
        let error = try #require(openingError(path))
        #expect(error.path == path)
        return error
    }

    private func safetensors(_ header: String, data: Int) -> [UInt8] {
        let length = header.utf8.count
        return (0..<8).map { UInt8(length >> (8 * $0) & 0xFF) } + Array(header.utf8)
            + [UInt8](repeating: 0, count: data)
    }

    @Test func cutShort() throws {
        for name in ["timm-hub/model.safetensors", "mae-finetuned/checkpoint-99.pth", "jax/vit.npz"] {
            let whole = try readFile(fixture(name))
            for length in [1, 7, 9, 100, whole.count / 2, whole.count - 1] {
                let error = try error(Array(whole.prefix(length)), Files.name(of: name))
                #expect(error.kind == .malformed, "\(name) at \(length)")
            }
        }
        let half = try readFile(fixture("timm-hub/model.safetensors"))
        #expect(try error(Array(half.prefix(half.count / 2))).description.contains("cut short"))
    }

    @Test(arguments: [
        (#"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "#, 8, "not valid JSON"),
        (#"[]"#, 0, "no known weights file"),
        (#"{"a": {"dtype": "F32", "shape": [2]}}"#, 8, "lacks dtype"),
        (#"{"a": {"dtype": "F8_E4M3", "shape": [2], "data_offsets": [0, 2]}}"#, 2, "F8_E4M3"),
        (#"{"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}"#, 8, "needs 12 bytes"),
        (#"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]}}"#, 8, "needs 8 bytes"),
        (#"{"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}"#, 8, "impossible shape"),
        (#"{"a": {"dtype": "F32", "shape": [4611686018427387904, 4], "data_offsets": [0, 8]}}"#, 8, "impossible shape"),
        (
            #"{"a": {"dtype": "F32", "shape": [0, 4611686018427387904, 4], "data_offsets": [0, 0]}}"#, 0,
            "impossible shape"
        ),
        (#"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}"#, 4, "cut short"),
        (#"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}"#, 9, "belong to no tensor"),
        (#"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}"#, 12, "belong to no tensor"),
        (
            #"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}"#,
            12, "overlaps"
        ),
        (
            #"{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}"#,
            8, "stands twice"
        ),
    ])
    func safetensorsHeaders(_ header: String, _ data: Int, _ words: String) throws {
        let error = try error(safetensors(header, data: data))
        #expect(error.kind == .malformed)
        #expect(error.description.contains(words), "\(error)")
    }

    @Test func headerOfAnImpossibleLength() throws {
        let error = try error([UInt8](repeating: 0xFF, count: 8) + Array("{}".utf8))
        #expect(error.description.contains("length of the safetensors header"))
        let nested = String(repeating: "[", count: 100_000)
        #expect(try self.error(safetensors(#"{"a":"# + nested, data: 0)).description.contains("nested too deeply"))
    }

    @Test(arguments: [
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"), ("\u{80}", "no known weights file"),
        ("GGUF1234", "GGUF"), ("{\"a\": 1}", "a JSON file"),
    ])
    func otherFilesAreToldByContent(_ text: String, _ words: String) throws {
        #expect(try error(Array(text.utf8)).description.contains(words))
    }
}

/// The error that opening a file, or reading a tensor of it, ends in.
func openingError(_ path: String) -> FileError? {
    do throws(FileError) {
        for tensor in try TensorFile.open(path).tensors where tensor.description.type.isFloatingPoint {
            _ = try tensor.values()
        }
        return nil
    } catch {
        return error
    }
}

/// A checkpoint under Tests/Fixtures/checkpoints.
func fixture(_ name: String) -> String {
    #filePath.split(separator: "/").dropLast(2).reduce("") { $0 + "/" + $1 } + "/Fixtures/checkpoints/" + name
}
