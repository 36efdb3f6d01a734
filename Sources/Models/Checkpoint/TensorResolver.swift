import TensorFiles

/// A parameter of a model, and how the files store it.
struct StoredParameter {
    let parameter: ParameterShape
    /// The canonical name and the shape that it has in the files.
    let stored: ParameterShape
    /// How many of the stored numbers come before the first that is used.
    var skippedCount = 0
    /// Another canonical tensor, whose numbers, from `first` on, are added.
    var addition: (name: String, first: Int)?

    /// A parameter that is stored as it is, or under another name and shape.
    init(_ parameter: ParameterShape, stored: ParameterShape? = nil) {
        self.parameter = parameter
        self.stored = stored ?? parameter
    }
}

/// Accounts for every tensor: finds the stored ones of each that the model needs, and a reason for each that is left.
struct TensorResolver<Names: TensorNames> {
    let table: TensorTable<Names>
    /// Why a stored tensor may stand unused; nil where it may not.
    let reasonToIgnore: (String) -> String?

    func resolve(
        _ parameters: [StoredParameter]
    ) throws(CheckpointError) -> (recipes: [String: TensorRecipe], ignored: [String: String]) {
        var recipes: [String: TensorRecipe] = [:]
        var missing: [String] = []
        var misshapen: [String] = []
        var wrongType: [String] = []
        var used: Set<String> = []
        for parameter in parameters {
            let stored = parameter.stored
            let names = table.names.parts(of: stored.name).map(\.name)
            used.formUnion(names)
            guard let parts = table.parts(of: stored.name) else {
                missing += names.filter { table.tensors[$0] == nil }
                continue
            }
            if table.shape(of: stored.name) != stored.shape || !splitsEvenly(parts, stored.shape) {
                misshapen += parts.prefix(1).map {
                    "\($0.tensor.name) \($0.tensor.shape) where \(stored.name) needs \(stored.shape)"
                }
            }
            wrongType += parts.filter { !$0.tensor.description.type.isFloatingPoint }.map(\.tensor.name)
            var recipe = TensorRecipe(
                shape: parameter.parameter.shape, parts: parts, skippedCount: parameter.skippedCount)
            if let (name, first) = parameter.addition, let parts = table.parts(of: name) {
                recipe.addition = (parts, first)
            }
            recipes[parameter.parameter.name] = recipe
        }
        var ignored: [String: String] = [:]
        var surplus: [String] = []
        for name in table.tensors.keys.sorted() where !used.contains(name) {
            if let reason = reasonToIgnore(name) {
                ignored[name] = reason
            } else {
                surplus.append(name)
            }
        }
        try report(missing: missing, misshapen: misshapen, wrongType: wrongType, surplus: surplus)
        return (recipes, ignored)
    }

    /// Queries, keys and values have to be a third each, not three parts of any size.
    private func splitsEvenly(_ parts: [(part: TensorPart, tensor: StoredTensor)], _ shape: [Int]) -> Bool {
        guard let rows = shape.first, parts.count > 1 else { return true }
        return parts.allSatisfy { $0.part.shape(of: $0.tensor.shape)?.first == rows / parts.count }
    }

    private func report(
        missing: [String], misshapen: [String], wrongType: [String], surplus: [String]
    ) throws(CheckpointError) {
        var reasons: [String] = []
        if !missing.isEmpty { reasons.append("lacks \(Self.list(missing))") }
        if !misshapen.isEmpty { reasons.append("has misshapen tensors: \(Self.list(misshapen))") }
        if !wrongType.isEmpty { reasons.append("stores weights as whole numbers: \(Self.list(wrongType))") }
        if !surplus.isEmpty { reasons.append("has tensors that belong to no part of the model: \(Self.list(surplus))") }
        if !reasons.isEmpty { throw .malformed(table.path, reasons.joined(separator: "; ")) }
    }

    private static func list(_ names: [String]) -> String {
        let namesListed = 4
        let shown = names.prefix(namesListed).joined(separator: ", ")
        return names.count > namesListed
            ? "\(shown) and \(names.count - namesListed) more (\(names.count) in all)" : shown
    }
}
