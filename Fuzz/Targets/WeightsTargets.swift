import Models
import Support
import TensorFiles

extension Target {
    /// safetensors, alone and as a shard, and the index of shards.
    static let safetensors = Target(name: "safetensors") {
        Scratch.copy("checkpoints/hf-vit/model.safetensors", to: "a.safetensors")
    } read: { bytes in
        readTensors(Scratch.write(bytes, to: "model.safetensors"))
        let index = #"{"weight_map": {"a": "model.safetensors", "b": "model.safetensors"}}"#
        readTensors(Scratch.write(Array(index.utf8), to: "shard.index.json"))
        readTensors(Scratch.write(bytes, to: "model.safetensors.index.json"))
    }

    /// PyTorch's archive and its format from before.
    static let torch = Target(name: "torch") { bytes in
        let path = Scratch.write(bytes, to: "checkpoint.pth")
        readTensors(path)
        readModel(path)
    }

    /// NumPy's archive of arrays, and single arrays as `search` and `map` read them.
    static let numPy = Target(name: "numpy") { bytes in
        let path = Scratch.write(bytes, to: "arrays.npz")
        readTensors(path)
        readModel(path)
        for isFlattened in [false, true] {
            let matrix = attempt {
                try NumPyMatrix(
                    contentsOfFile: path, of: NumPyMatrix.Element.allCases, isFlattened: isFlattened)
            }
            guard let matrix else { continue }
            for row in 0..<min(matrix.rows, 100) {
                check(matrix[row].count == matrix.columns, "a row has the columns that its array states")
            }
        }
    }

    /// All numbers of a file.
    private static func readTensors(_ path: String) {
        guard let archive = attempt({ try TensorArchive.open(path) }) else { return }
        for tensor in archive.tensors.prefix(100) {
            guard let read = attempt({ try archive.tensor(tensor.name) }) else { continue }
            // Of two tensors of a name, which lie in different dictionaries, the first one is read.
            let isOnly = archive.tensors.count { $0.name == tensor.name } == 1
            check(!isOnly || read.values.count == tensor.count, "\(tensor.name) has the numbers that its shape takes")
        }
    }

    /// A file as the checkpoint of whatever model it may be.
    private static func readModel(_ path: String) {
        guard let checkpoint = attempt({ try Checkpoint.open(path) }) else { return }
        for shape in checkpoint.parameterShapes {
            guard let tensor = attempt({ try checkpoint.tensor(shape.name) }) else { continue }
            check(tensor.shape == shape.shape, "\(shape.name) has the shape that its model gives it")
        }
    }
}
