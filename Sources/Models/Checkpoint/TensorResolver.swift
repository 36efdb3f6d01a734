import TensorFiles

/// Accounts for every tensor: finds the stored ones of each that the model needs, and a reason for each that is left.
struct TensorResolver {
    let table: TensorTable
    let description: ModelDescription

    /// How many names an error lists.
    private static let namesListed = 4

    func resolve() throws(CheckpointError) -> (recipes: [String: TensorRecipe], ignored: [String: String]) {
        var recipes: [String: TensorRecipe] = [:]
        var missing: [String] = []
        var misshapen: [String] = []
        var wrongType: [String] = []
        var used: Set<String> = []
        let needed =
            description.configuration.parameterShapes
            + (description.decoder?.parameterShapes(encoder: description.configuration) ?? [])
        for parameter in needed {
            let stored = stored(parameter)
            let names = table.keyMap.parts(of: stored.name).map(\.name)
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
            recipes[parameter.name] = recipe(parameter, parts)
        }
        var ignored: [String: String] = [:]
        var surplus: [String] = []
        for name in table.tensors.keys.sorted() where !used.contains(name) && description.ignored[name] == nil {
            if let reason = table.keyMap.reasonToIgnore(name, hasDecoder: description.decoder != nil) {
                ignored[name] = reason
            } else {
                surplus.append(name)
            }
        }
        try report(missing: missing, misshapen: misshapen, wrongType: wrongType, surplus: surplus)
        return (recipes, ignored)
    }

    /// The number of position rows that go into tokens.
    private var foldedRows: Int { description.folds.last?.rows.upperBound ?? 0 }

    /// The name and shape under which a parameter is stored: another one where positions are folded.
    private func stored(_ parameter: ParameterShape) -> ParameterShape {
        if let fold = description.folds.first(where: { $0.token == parameter.name }) {
            return ParameterShape(fold.source, [1, fold.rows.count, description.configuration.width])
        }
        guard parameter.name == "pos_embed" else { return parameter }
        return ParameterShape("pos_embed", [1, parameter.shape[1] + foldedRows, parameter.shape[2]])
    }

    private func recipe(
        _ parameter: ParameterShape, _ parts: [(part: TensorPart, tensor: StoredTensor)]
    ) -> TensorRecipe {
        var recipe = TensorRecipe(shape: parameter.shape, parts: parts)
        let width = description.configuration.width
        if parameter.name == "pos_embed" { recipe.skippedCount = foldedRows * width }
        if let fold = description.folds.first(where: { $0.token == parameter.name }),
            let positions = table.parts(of: "pos_embed")
        {
            recipe.addition = (positions, fold.rows.lowerBound * width)
        }
        return recipe
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
        let shown = names.prefix(namesListed).joined(separator: ", ")
        return names.count > namesListed
            ? "\(shown) and \(names.count - namesListed) more (\(names.count) in all)" : shown
    }
}
