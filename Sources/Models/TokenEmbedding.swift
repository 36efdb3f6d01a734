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
    private let engine: any Engine
    private let prefixes: [Prefix]
    private let positions: Parameter
    private let projection: Linear
    /// Rows of the position table that belong to prefix tokens.
    private let positionedPrefix: Int

    init(_ configuration: ViTConfiguration, from source: some ParameterSource, engine: any Engine) throws {
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

    /// Images (B, C, height, width) to `workspace.tokens`, of the patches that `mask` keeps, or of all.
    func forward(_ images: Tensor, mask: PatchMask?, workspace: TrainableClassifierWorkspace) {
        let (patch, prefixCount) = (configuration.patchSize, configuration.prefixCount)
        let table = rows(of: positions.value)
        setPrefix(table, workspace)
        engine.patchRows(images, patchHeight: patch.height, patchWidth: patch.width, into: workspace.patchRows)
        let patches = table.rows(patchPositions)
        if let mask {
            engine.gatherRows(workspace.patchRows, index: mask.kept, into: workspace.visibleRows)
            engine.gatherRows(patches, index: mask.kept, into: workspace.dVisible)
        }
        // The place of the gradients holds the positions of the visible patches on the way forward.
        engine.embedPatches(
            workspace.visibleRows, projection.weights, bias: projection.bias?.value,
            positions: mask == nil ? patches : workspace.dVisible, prefix: prefixCount, into: workspace.tokens)
    }

    private func setPrefix(_ table: Tensor, _ workspace: TrainableClassifierWorkspace) {
        guard !prefixes.isEmpty else { return }
        for prefix in prefixes {
            let place = workspace.prefix.rows(prefix.rows)
            engine.setPrefix(prefix.parameter.value, of: place.reshaped([1] + place.shape))
        }
        let positioned = 0..<positionedPrefix
        engine.add(table.rows(positioned), into: workspace.prefix.rows(positioned))
        engine.setPrefix(workspace.prefix, of: workspace.tokens)
    }

    /// Adds to the gradients of all that `forward` read, from the tokens' (B, N, D).
    func backward(_ d: Tensor, mask: PatchMask?, workspace: TrainableClassifierWorkspace) {
        guard let gradient = positions.gradient else { return }
        let dTable = rows(of: gradient)
        engine.clear(workspace.prefix)
        engine.addPrefixGradient(d, dPrefix: workspace.prefix)
        for prefix in prefixes {
            guard let gradient = prefix.parameter.gradient else { continue }
            engine.add(workspace.prefix.rows(prefix.rows), into: gradient)
        }
        let positioned = 0..<positionedPrefix
        engine.add(workspace.prefix.rows(positioned), into: dTable.rows(positioned))
        engine.dropPrefix(configuration.prefixCount, of: d, into: workspace.dVisible)
        let dPatches = dTable.rows(patchPositions)
        if let mask {
            engine.scatterRowSums(workspace.dVisible, index: mask.kept, into: dPatches)
        } else {
            engine.addPrefixGradient(workspace.dVisible, dPrefix: dPatches)
        }
        projection.backward(workspace.dVisible, x: workspace.visibleRows, dx: nil, engine: engine)
    }
}
