import TensorFiles

/// The models in a file of tensors: in whatever dictionaries, and with whatever before all names.
///
/// A model is found by a tensor that every one of its family has (`patch_embed.proj.weight`): what stands before that name
/// stands before all names of the model.
struct ModelSearch {
    /// A model in the file.
    struct Model {
        /// What stands before all names, keys of dictionaries and parts of names alike; empty, or ends in a dot.
        var prefix: String
        /// The keys of the dictionaries around the tensor that it was found by.
        var keys: [String] = []
        /// Its tensors, by their place in the file.
        var members: [Int] = []
        /// The tensors beside the model: what they are called together, and why they are ignored.
        var foreign: [String: String] = [:]
        /// What the choice among several models was, in a sentence.
        var choice: String?

        /// See `Checkpoint.location`.
        var location: String? { prefix.isEmpty ? nil : String(prefix.dropLast()) }
        fileprivate var label: String { location ?? "the outermost" }
        fileprivate var parts: [Substring] { prefix.split(separator: ".") }
    }

    /// The names of all tensors with the keys around them, without what torch's wrappers of modules add.
    let names: [String]
    private let file: TensorFile
    private var models: [Model] = []
    /// Far more than any program keeps in one file.
    private static let mostModels = 64

    init(_ file: TensorFile) throws(CheckpointError) {
        self.file = file
        names = file.tensors.map { Self.unwrapped($0.fullName) }
        models = try Self.find(names, file)
        assignMembers()
    }

    /// The model to read.
    ///
    /// - Parameter key: the model's `location`, the beginning of it, or one of its parts; nil: the teacher or the average
    ///   where there is one, else the one under a usual name.
    func model(key: String?) throws(CheckpointError) -> Model {
        let matching = models.filter { model in key.map { model.matches($0) } ?? true }
        let ranked = matching.sorted { $0.rank < $1.rank }
        guard var model = ranked.first else {
            guard let key else { return try everything() }
            let known =
                models.isEmpty ? "no model that can be read" : models.map(\.label).joined(separator: ", ")
            throw .malformed(file.path, "holds no model under \(key); it holds \(known)")
        }
        let rivals = ranked.prefix { $0.rank == model.rank }
        guard rivals.count == 1 else {
            throw .malformed(
                file.path,
                "holds several models (\(rivals.map(\.label).joined(separator: ", "))); choose one with --weights KEY")
        }
        try checkReadable(model)
        if key == nil, models.count > 1 {
            let others = models.filter { $0.prefix != model.prefix }.map(\.label)
            model.choice =
                "The model under \(model.label)\(model.isAverage ? ", the teacher or average," : "") and not under "
                + "\(others.joined(separator: ", ")), which the file holds too (--weights chooses)."
        }
        model.foreign = foreign(to: model)
        return model
    }

    /// All tensors, where no model is found among them.
    private func everything() throws(CheckpointError) -> Model {
        if names.isEmpty, let tensor = file.unreadable.first {
            throw .malformed(
                file.path, "stores \(tensor.name) as \(tensor.type), which cannot be read, and no other tensors")
        }
        return Model(prefix: "", members: Array(names.indices))
    }

    private func checkReadable(_ model: Model) throws(CheckpointError) {
        for tensor in file.unreadable where tensor.location == model.keys && tensor.fullName.hasPrefix(model.prefix) {
            throw .malformed(file.path, "stores \(tensor.name) as \(tensor.type), which cannot be read")
        }
    }

    // MARK: Finding

    private static func find(_ names: [String], _ file: TensorFile) throws(CheckpointError) -> [Model] {
        var models: [Model] = []
        var anchorCount = 0
        // The longest first: a vision tower's ends in a Vision Transformer's own.
        let anchors = Set(ModelFamilies.all.flatMap(\.anchors)).sorted { ($1.utf8.count, $0) < ($0.utf8.count, $1) }
        for (index, name) in names.enumerated() {
            guard let anchor = anchors.first(where: { name == $0 || name.hasSuffix("." + $0) }) else { continue }
            let keys = file.tensors[index].location
            // The state of an optimizer may bear the names of what it optimizes.
            if keys.contains(where: { $0.lowercased().hasPrefix("optim") }) { continue }
            anchorCount += 1
            guard anchorCount <= mostModels else {
                throw .malformed(file.path, "holds more than \(mostModels) models")
            }
            var prefix = String(name.dropLast(anchor.count))
            if anchor != "patch_embed.proj.weight" { prefix = withoutBase(prefix, names) }
            if !models.contains(where: { $0.prefix == prefix }) { models.append(Model(prefix: prefix, keys: keys)) }
        }
        return models
    }

    /// The heads of transformers and mmpretrain lie beside the encoder, whose prefix (`vit.`, `backbone.`) is a part of the
    /// names then.
    private static func withoutBase(_ prefix: String, _ names: [String]) -> String {
        let parts = prefix.split(separator: ".")
        let outer = parts.dropLast().map { $0 + "." }.joined()
        let beside = ["classifier.weight", "cls_classifier.weight", "decoder.", "encoder.layer.", "head.layers."].map {
            outer + $0
        }
        let isInner = !parts.isEmpty && names.contains { name in beside.contains { name.hasPrefix($0) } }
        return isInner ? outer : prefix
    }

    /// Gives each tensor to the model with the longest prefix of its name, in the dictionary where that model is.
    private mutating func assignMembers() {
        let order = models.indices.sorted { models[$0].prefix.utf8.count > models[$1].prefix.utf8.count }
        for (index, name) in names.enumerated() {
            let owner = order.first { place in
                let model = models[place]
                guard name.hasPrefix(model.prefix) else { return false }
                // A dictionary for each module lies deeper than the model.
                let isSpread = model.keys.joined(separator: ".").utf8.count >= model.prefix.utf8.count
                return (isSpread && !model.keys.isEmpty) || file.tensors[index].location == model.keys
            }
            if let owner { models[owner].members.append(index) }
        }
    }

    /// What the tensors beside a model are, one by one where they are few.
    private func foreign(to model: Model) -> [String: String] {
        var foreign: [String: String] = [:]
        var left = Set(names.indices).subtracting(model.members)
        for other in models where other.prefix != model.prefix {
            left.subtract(other.members)
            foreign[other.prefix + "*"] = "another model in the file, of \(other.members.count) tensors"
        }
        let groups = Dictionary(grouping: left) { group(of: $0, beside: model, isSmall: left.count <= 12) }
        for (name, members) in groups {
            let isOne = members.count == 1
            foreign[isOne ? names[members[0]] : name + ".*"] =
                isOne ? "it lies beside the model" : "\(members.count) tensors beside the model"
        }
        for tensor in file.unreadable {
            foreign[tensor.fullName] = "it lies beside the model, stored as \(tensor.type)"
        }
        return foreign
    }

    /// What a tensor beside `model` is listed under: its name, or the beginning of it.
    private func group(of index: Int, beside model: Model, isSmall: Bool) -> String {
        let name = names[index]
        guard file.tensors[index].location == model.keys else { return String(name.prefix { $0 != "." }) }
        if isSmall { return name }
        let keys = model.keys.map { $0 + "." }.joined()
        return keys + name.dropFirst(keys.count).prefix { $0 != "." }
    }

    // MARK: Names

    /// Parts of names that torch's wrappers of modules add (FSDP, `torch.compile`, activation checkpointing).
    private static let wrappers: Set<Substring> = [
        "_fsdp_wrapped_module", "_orig_mod", "_checkpoint_wrapped_module",
    ]

    private static func unwrapped(_ name: String) -> String {
        guard name.hasPrefix("_") || name.contains("._") else { return name }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.filter { !wrappers.contains($0) }.joined(separator: ".")
    }

    /// Names without the chunks that DINOv2 cuts its blocks into for FSDP: `blocks.0.3.` is block 3.
    static func withoutChunks(_ names: [Substring]) -> [String] {
        names.map { name in
            guard name.hasPrefix("blocks.") else { return String(name) }
            let parts = name.split(separator: ".", maxSplits: 3)
            guard parts.count == 4, Int(parts[2]) != nil else { return String(name) }
            return "blocks.\(parts[2]).\(parts[3])"
        }
    }
}

extension ModelSearch.Model {
    private static let averages: Set<Substring> = ["ema", "avg", "average", "averaged", "swa", "target", "momentum"]
    /// The names that training programs give the weights, the most usual first.
    private static let usual: [Substring] = [
        "state_dict", "model", "model_state_dict", "module", "net", "network", "weights", "encoder", "backbone",
    ]

    fileprivate func matches(_ key: String) -> Bool {
        location == key || prefix.hasPrefix(key + ".") || parts.contains(Substring(key))
    }

    private static func words(_ part: some StringProtocol) -> [Substring] {
        Substring(part.lowercased()).split { $0 == "_" || $0 == "-" }
    }

    /// Whether it is a teacher, or an average that has a dictionary of its own.
    fileprivate var isAverage: Bool {
        parts.contains { Self.words($0).contains("teacher") }
            || keys.contains { Self.words($0).contains { Self.averages.contains($0) } }
    }

    /// The lower, the sooner a model is taken. An average that is a part of another model's state is that model's own affair
    /// (Lightning's, MoCo's, BYOL's: they use and publish what is trained).
    fileprivate var rank: Int {
        let words = parts.flatMap { Self.words($0) }
        if words.contains("student") { return 400 }
        if isAverage { return 0 }
        if words.contains(where: { Self.averages.contains($0) }) { return 300 }
        let place = parts.first.flatMap { Self.usual.firstIndex(of: $0) } ?? Self.usual.count
        let inner = parts.dropFirst().first.flatMap { Self.usual.firstIndex(of: $0) } ?? Self.usual.count
        return prefix.isEmpty ? 1 : 100 + place * (Self.usual.count + 1) + inner
    }
}
