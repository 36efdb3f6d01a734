import Support

/// Which of the files of a model are needed: settings, names of classes, the tokenizer, and the better one of its weights.
package struct FileSelection {
    /// All but the weights; with the index of weights in several files.
    package private(set) var settings: [String] = []
    /// The weights in one file; nil where they are in several.
    package private(set) var weights: String?
    /// The index of weights in several files.
    package private(set) var index: String?

    /// What is read beside the weights.
    private static let settingsNames = [
        "config.json", "preprocessor_config.json", "processor_config.json", "open_clip_config.json", "labels.txt",
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.json", "merges.txt",
        "spiece.model",
    ]
    /// The weights under their usual names, the better ones first.
    private static let weightsNames = [
        "model.safetensors", "model.safetensors.index.json", "open_clip_model.safetensors", "pytorch_model.bin",
        "pytorch_model.bin.index.json", "open_clip_pytorch_model.bin",
    ]
    /// The endings of weights under other names, the better ones first.
    private static let weightsSuffixes = [".safetensors", ".bin", ".pth", ".pt", ".npz", ".ckpt"]
    /// What training programs leave beside the weights.
    private static let otherNames = [
        "training_args.bin", "optimizer.bin", "optimizer.pt", "scheduler.bin", "scheduler.pt", "rng_state.pth",
        "scaler.pt",
    ]

    /// - Parameter files: the names of all files of the model.
    ///
    /// Errors: malformed where there are no weights, or several that nothing tells apart.
    package init(_ files: [String], of reference: HubReference) throws(HubError) {
        settings = Self.settingsNames.filter(files.contains)
        if let usual = Self.weightsNames.first(where: files.contains) {
            if Self.isIndex(usual) { index = usual } else { weights = usual }
            return
        }
        let own = files.filter { HubReference.isPart($0) && !Self.otherNames.contains($0) }.sorted()
        for suffix in Self.weightsSuffixes {
            let candidates = own.filter { $0.hasSuffix(suffix) }
            guard let first = candidates.first else { continue }
            guard candidates.count == 1 else {
                throw HubError(
                    .malformed, reference.description,
                    "has several files of weights (\(candidates.prefix(3).joined(separator: ", "))…), and none of them is "
                        + "model.safetensors; download the one to use, and name its path")
            }
            weights = first
            return
        }
        throw HubError(
            .malformed, reference.description,
            "has no weights that can be read; model.safetensors or pytorch_model.bin was expected, and it has "
                + (files.isEmpty ? "no files" : files.prefix(4).joined(separator: ", ")))
    }

    private static func isIndex(_ name: String) -> Bool { name.hasSuffix(".index.json") }

    /// The files that the index at `path` names.
    static func shards(ofIndexAt path: String) throws(HubError) -> [String] {
        let json = try HubError.onFiles { () throws(FileError) in try JSON.file(path) }
        let names = Set((json["weight_map"]?.members ?? []).compactMap(\.value.string)).sorted()
        guard !names.isEmpty else {
            throw HubError(.malformed, path, "names no files of weights; an object weight_map was expected")
        }
        if let name = names.first(where: { !HubReference.isPart($0) }) {
            throw HubError(.malformed, path, "names \"\(name)\", which is no name of a file beside it")
        }
        return names
    }

    /// What a directory of the cache lacks to be a model that can be read; nil where it lacks nothing.
    package static func lacking(in directory: String) throws(HubError) -> String? {
        let names = try HubError.onFiles { () throws(FileError) in try Files.names(in: directory) }
        // A link whose file was removed leads nowhere.
        let present = names.filter { !Files.isMissing(Files.join(directory, $0)) }
        for name in weightsNames where present.contains(name) {
            guard isIndex(name) else { return nil }
            let missing = try shards(ofIndexAt: Files.join(directory, name)).first { !present.contains($0) }
            if missing == nil { return nil }
            let others = weightsNames.filter { !isIndex($0) }
            if !others.contains(where: present.contains) { return missing }
        }
        let isComplete = present.contains { name in
            !otherNames.contains(name) && weightsSuffixes.contains { name.hasSuffix($0) }
        }
        return isComplete ? nil : "weights"
    }
}

/// What the hub says of a model: the commit of the revision, and the names of its files.
package struct RepositoryListing {
    package let commit: String
    package let files: [String]

    /// More than the answer for any real model has.
    static let largest = 16 << 20

    package init(_ bytes: [UInt8], of reference: HubReference) throws(HubError) {
        guard let json = try? JSON.parse(bytes), let commit = json["sha"]?.string, HubReference.isCommit(commit),
            let siblings = json["siblings"]?.elements
        else {
            throw HubError(
                .malformed, reference.description,
                "the server's description of it is none of a hub (sha and siblings were expected); check HF_ENDPOINT")
        }
        self.commit = commit
        var files: [String] = []
        for sibling in siblings {
            guard let name = sibling["rfilename"]?.string else { continue }
            guard Self.isPath(name) else {
                throw HubError(
                    .malformed, reference.description,
                    "the server lists a file \"\(name)\", which is refused: it leads elsewhere")
            }
            files.append(name)
        }
        self.files = files
    }

    /// Whether a path stays below where it begins.
    private static func isPath(_ path: String) -> Bool {
        path.utf8.count <= 1024 && path.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "\\" && $0.value != 0x7F }
            && path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
                !$0.isEmpty && $0 != "." && $0 != ".."
            }
    }
}
