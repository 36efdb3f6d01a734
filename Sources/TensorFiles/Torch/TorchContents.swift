import Support

/// The tensors in what a pickle built, wherever they lie: in dictionaries in dictionaries, lists, objects and modules.
struct TorchContents {
    /// A tensor with its name in the innermost dictionary, and the keys of those around it, outermost first.
    struct Entry<Value> {
        var location: [String]
        var name: String
        var value: Value
    }

    private let heap: [PickleValue]
    private(set) var tensors: [Entry<TorchTensor>] = []
    /// Tensors whose numbers cannot be read, with the type or function that makes them.
    private(set) var unreadable: [Entry<String>] = []
    /// Text, numbers and truth values; see `TensorFile.notes`.
    private(set) var notes: [String: JSON] = [:]
    /// What the whole is, in words, for a message.
    let summary: String
    /// A container that is referred to twice is looked into once, so that what refers to itself ends.
    private var visited: Set<PickleValue.Reference> = []
    private var nameLength = 0
    private var memberCount = 0

    /// Beyond any program's nesting.
    private static let greatestDepth = 64
    private static let longestKey = 1_000
    /// Of all containers, each counted as often as it is looked into.
    private static let mostMembers = 8_000_000
    /// The length of all names together, each with what it costs to keep it.
    private static let greatestNameLength = 64 << 20
    private static let entryLength = 32

    /// Runs a pickle, and looks through what it built.
    init(_ pickle: inout PickleInterpreter) throws(PickleError) {
        let top = try pickle.run()
        heap = pickle.heap
        summary = Self.summary(heap, top)
        try collect(top, at: [])
        for (name, value) in try members(top) ?? [] {
            notes[name] = heap[value].json
            for (inner, value) in try members(value) ?? [] { notes["\(name).\(inner)"] = heap[value].json }
        }
    }

    private mutating func collect(_ reference: PickleValue.Reference, at location: [String]) throws(PickleError) {
        guard location.count < Self.greatestDepth, visited.insert(reference).inserted else { return }
        guard let members = try members(reference) else { return }
        if case .object = heap[reference], let module = TorchModule(members) {
            return try collect(module, "", at: location, depth: 0)
        }
        for (name, value) in members { try take(name, value, at: location) }
    }

    private mutating func take(
        _ name: String, _ value: PickleValue.Reference, at location: [String]
    ) throws(PickleError) {
        switch heap[value] {
        case .tensor(let tensor):
            try count(name, location)
            tensors.append(Entry(location: location, name: name, value: tensor))
        case .unreadableTensor(let type):
            try count(name, location)
            unreadable.append(Entry(location: location, name: name, value: type))
        default: try collect(value, at: location + [name])
        }
    }

    /// What `state_dict` of a module gives: its parameters, its buffers that persist, and those of the modules in it.
    private mutating func collect(
        _ module: TorchModule, _ prefix: String, at location: [String], depth: Int
    ) throws(PickleError) {
        let transient = module.transientBuffers.flatMap { heap[$0].elements } ?? []
        let left = Set(transient.compactMap { heap[$0].string })
        for (name, value) in try members(module.parameters) ?? [] { try take(prefix + name, value, at: location) }
        for (name, value) in try members(module.buffers) ?? [] where !left.contains(name) {
            try take(prefix + name, value, at: location)
        }
        for (name, value) in try members(module.modules) ?? [] {
            guard depth < Self.greatestDepth, visited.insert(value).inserted,
                let inner = try members(value).flatMap({ TorchModule($0) })
            else { continue }
            try collect(inner, "\(prefix)\(name).", at: location, depth: depth + 1)
        }
    }

    private mutating func count(_ name: String, _ location: [String]) throws(PickleError) {
        nameLength += Self.entryLength + location.reduce(name.utf8.count) { $0 + $1.utf8.count }
        guard nameLength <= Self.greatestNameLength else { throw PickleError(reason: "its names are too long") }
    }

    /// The length of a container; 0 for everything else.
    private func length(of reference: PickleValue.Reference) -> Int {
        if case .dictionary(let pairs) = heap[reference] { return pairs.count }
        return heap[reference].elements?.count ?? 0
    }

    /// The members of a dictionary, of a list by their number, or of an object; nil for everything else. Of members with
    /// one name the last is taken.
    private mutating func members(
        _ reference: PickleValue.Reference
    ) throws(PickleError) -> [(name: String, value: PickleValue.Reference)]? {
        // Containers may share others, so that all together are far longer than the file.
        memberCount += length(of: reference)
        guard memberCount <= Self.mostMembers else { throw PickleError(reason: "its containers are too long") }
        switch heap[reference] {
        case .dictionary(let pairs):
            var members: [(name: String, value: PickleValue.Reference)] = []
            var places: [String: Int] = [:]
            for (key, value) in pairs {
                guard let name = heap[key].name, name.utf8.count <= Self.longestKey else { continue }
                if let place = places[name] {
                    members[place].value = value
                } else {
                    places[name] = members.count
                    members.append((name, value))
                }
            }
            return members
        case .list(let values), .tuple(let values): return values.enumerated().map { ("\($0)", $1) }
        case .object(_, let state?): return try objectMembers(state)
        default: return nil
        }
    }

    /// The attributes of an object: a dictionary, or a pair with those in slots.
    private mutating func objectMembers(
        _ state: PickleValue.Reference
    ) throws(PickleError) -> [(name: String, value: PickleValue.Reference)]? {
        if case .dictionary = heap[state] { return try members(state) }
        guard let parts = heap[state].elements, parts.count == 2 else { return nil }
        var attributes: [(name: String, value: PickleValue.Reference)] = []
        for part in parts {
            if case .dictionary = heap[part] { attributes += try members(part) ?? [] }
        }
        return attributes
    }

    private static func summary(_ heap: [PickleValue], _ top: PickleValue.Reference) -> String {
        switch heap[top] {
        case .dictionary(let pairs):
            let names = pairs.prefix(5).compactMap { pair in
                heap[pair.key].name.map { name in
                    guard case .object(let made, _) = heap[pair.value] else { return String(name.prefix(40)) }
                    return "\(name.prefix(40)) (the result of \(made.prefix(80)), of which nothing is run)"
                }
            }
            let more = pairs.count > names.count ? "…" : ""
            return names.isEmpty ? "an empty dictionary" : "a dictionary of \(names.joined(separator: ", "))\(more)"
        case .list, .tuple: return "a list"
        case .object(let name, _): return "the result of \(name.prefix(80)), of which nothing is run"
        case .tensor: return "a single tensor without a name"
        default: return "a single value"
        }
    }
}

/// The parts of a pickled `torch.nn.Module` that its `state_dict` is made of.
private struct TorchModule {
    let parameters: PickleValue.Reference
    let buffers: PickleValue.Reference
    let modules: PickleValue.Reference
    /// The names of buffers that are not saved.
    let transientBuffers: PickleValue.Reference?

    init?(_ members: [(name: String, value: PickleValue.Reference)]) {
        func value(_ name: String) -> PickleValue.Reference? { members.first { $0.name == name }?.value }
        guard let parameters = value("_parameters"), let buffers = value("_buffers"), let modules = value("_modules")
        else { return nil }
        (self.parameters, self.buffers, self.modules) = (parameters, buffers, modules)
        transientBuffers = value("_non_persistent_buffers_set")
    }
}

extension PickleValue {
    /// Text; nil for everything else.
    fileprivate var string: String? {
        if case .string(let string) = self { return string }
        return nil
    }

    /// What names a member: text, or a number.
    fileprivate var name: String? {
        switch self {
        case .string(let string): string
        case .integer(let number): "\(number)"
        default: nil
        }
    }
}
