import Models

/// All numbers of a file of tensors.
struct TensorArchiveValues {
    let values: [Float]

    init(_ path: String) throws {
        let archive = try TensorArchive.open(path)
        values = try archive.tensors.flatMap { try archive.tensor($0.name).values }
    }
}
