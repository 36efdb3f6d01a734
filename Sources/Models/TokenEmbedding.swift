import Compute
import Layers

/// Pictures to tokens while a classifier is trained: the patches' projection, the tokens before them, and positions.
struct TokenEmbedding: Sendable {
    /// Class, distillation or register tokens (rows, D) and their places among the tokens.
    private struct Prefix {
        let parameter: Parameter
        let rows: Range<Int>
    }

    private let configuration: ViTConfiguration
    private let engine: any TrainingEngine
    private let prefixes: [Prefix]
    private let positions: Parameter
    private let projection: Linear
    /// Rows of the position table that belong to prefix tokens.
    private let positionedPrefix: Int

    init(_ configuration: ViTConfiguration, from source: some ParameterSource, engine: any TrainingEngine) throws {
        self.configuration = configuration
        self.engine = engine
        var names: [(name: String, count: Int)] = []
        if configuration.hasClassToken { names.append(("cls_token", 1)) }
        if configuration.hasDistillationToken { names.append(("dist_token", 1)) }
        if configuration.registerCount > 0 { names.append(("reg_token", configuration.registerCount)) }
        var prefixes: [Prefix] = []
        for (name, count) in names {
            let first = prefixes.last?.rows.upperBound ?? 0
            prefixes.append(Prefix(parameter: try source.parameter(name), rows: first..<first + count))
        }
        self.prefixes = prefixes
        positions = try source.parameter("pos_embed")
        positionedPrefix = configuration.positionRowCount - configuration.patchCount
        projection = try Linear("patch_embed.proj", from: source, engine: engine)
    }

    /// The position table, or its gradient, as rows.
    private func rows(of table: Tensor) -> Tensor {
        table.reshaped([configuration.positionRowCount, configuration.width])
    }

    private var patchPositions: Range<Int> { positionedPrefix..<configuration.positionRowCount }

    /// Images (B, C, height, width) to `room.tokens`, of the patches that `mask` keeps, or of all.
    func forward(_ images: Tensor, mask: PatchMask?, room: TrainableClassifierRoom) {
        let (patch, prefixCount) = (configuration.patchSize, configuration.prefixCount)
        let table = rows(of: positions.value)
        setPrefix(table, room)
        engine.patchRows(images, patchHeight: patch.height, patchWidth: patch.width, into: room.patchRows)
        let patches = table.rows(patchPositions)
        if let mask {
            engine.gatherRows(room.patchRows, index: mask.kept, into: room.visibleRows)
            engine.gatherRows(patches, index: mask.kept, into: room.dVisible)
        }
        // The place of the gradients holds the positions of the visible patches on the way forward.
        engine.embedPatches(
            room.visibleRows, projection.weights, bias: projection.bias?.value,
            positions: mask == nil ? patches : room.dVisible, prefix: prefixCount, into: room.tokens)
    }

    private func setPrefix(_ table: Tensor, _ room: TrainableClassifierRoom) {
        guard !prefixes.isEmpty else { return }
        for prefix in prefixes {
            let place = room.prefix.rows(prefix.rows)
            engine.setPrefix(prefix.parameter.value, of: place.reshaped([1] + place.shape))
        }
        let positioned = 0..<positionedPrefix
        engine.add(table.rows(positioned), into: room.prefix.rows(positioned))
        engine.setPrefix(room.prefix, of: room.tokens)
    }

    /// Adds to the gradients of all that `forward` read, from the tokens' (B, N, D).
    func backward(_ d: Tensor, mask: PatchMask?, room: TrainableClassifierRoom) {
        guard let gradient = positions.gradient else { return }
        let dTable = rows(of: gradient)
        engine.clear(room.prefix)
        engine.addPrefixGradient(d, dPrefix: room.prefix)
        for prefix in prefixes {
            guard let gradient = prefix.parameter.gradient else { continue }
            engine.add(room.prefix.rows(prefix.rows), into: gradient)
        }
        let positioned = 0..<positionedPrefix
        engine.add(room.prefix.rows(positioned), into: dTable.rows(positioned))
        engine.dropPrefix(configuration.prefixCount, of: d, into: room.dVisible)
        let dPatches = dTable.rows(patchPositions)
        if let mask {
            engine.scatterRowSums(room.dVisible, index: mask.kept, into: dPatches)
        } else {
            engine.addPrefixGradient(room.dVisible, dPrefix: dPatches)
        }
        projection.backward(room.dVisible, x: room.visibleRows, dx: nil, engine: engine)
    }
}
