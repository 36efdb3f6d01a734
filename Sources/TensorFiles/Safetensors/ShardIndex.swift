import Support

/// Reads tensors in several files through its index (`model.safetensors.index.json`).
enum ShardIndex {
    /// The shards, each opened by `open`; every tensor has to be in the file that the index names.
    static func read(
        _ path: String, open: (String) throws(FileError) -> TensorFile
    ) throws(FileError) -> TensorFile {
        let index = try JSON.file(path)
        guard let map = index["weight_map"]?.members, !map.isEmpty else {
            throw .malformed(path, "has no weight_map; an index names the file of every tensor there")
        }
        var shardOf: [String: String] = [:]
        for entry in map {
            guard let file = entry.value.string, !file.isEmpty, !file.contains("/") else {
                throw .malformed(path, "the file of \(entry.name) has to be a plain name beside the index")
            }
            shardOf[entry.name] = file
        }
        let directory = Files.directory(of: path)
        let names = Set(shardOf.values).sorted()
        var whole: TensorFile?
        for name in names {
            let shard = try open(Files.join(directory, name))
            for tensor in shard.tensors where shardOf[tensor.name] != name {
                throw .malformed(tensor.path, "holds \(tensor.name), which \(path) does not place there")
            }
            whole = TensorFile(
                path: path, format: shard.format, tensors: (whole?.tensors ?? []) + shard.tensors,
                fileCount: names.count)
        }
        let present = Set((whole?.tensors ?? []).map(\.name))
        if let missing = shardOf.keys.sorted().first(where: { !present.contains($0) }) {
            throw .malformed(path, "places \(missing) in \(shardOf[missing] ?? ""), which does not hold it")
        }
        guard let whole else { throw .malformed(path, "names no file") }
        return whole
    }
}
