import Imaging
import Models
import Support

/// The description of a checkpoint as text.
struct InspectText {
    private let checkpoint: Checkpoint
    private var configuration: ViTConfiguration { checkpoint.configuration }

    init(_ checkpoint: Checkpoint) { self.checkpoint = checkpoint }

    var text: String {
        var text = "\(printable(checkpoint.path))\n"
        for (name, value) in facts where !value.isEmpty { text += "  \(name.padded(to: 11)) \(value)\n" }
        text += section("Preprocessing", preprocessing)
        text += section("Assumed, because no file states it", checkpoint.assumptions.map(printable))
        text += section("Not used by the model", checkpoint.ignored.map { printable("\($0.name): \($0.reason)") })
        return text + section("Tensors", tensors)
    }

    private func section(_ title: String, _ lines: [String]) -> String {
        lines.isEmpty ? "" : "\n\(title)\n" + lines.map { "  \($0)\n" }.joined()
    }

    private var facts: [(String, String)] {
        let size = configuration.imageSize
        let channels = configuration.inputChannels
        return [
            ("layout", printable(checkpoint.summary)),
            ("image", "\(size.height) × \(size.width) pixels, \(count(channels, "channel"))"),
            ("patches", patches), ("tokens", tokens), ("encoder", encoder), ("positions", positions),
            ("pooling", pooling), ("classes", classes), ("decoder", decoder), ("parameters", parameters),
        ]
    }

    private var patches: String {
        let (patch, grid) = (configuration.patchSize, configuration.grid)
        return "\(patch.height) × \(patch.width) pixels, \(grid.height) × \(grid.width) of them"
    }

    private var tokens: String {
        var parts = [configuration.patchCount == 1 ? "1 patch" : "\(configuration.patchCount) patches"]
        if configuration.hasClassToken { parts.append("a class token") }
        if configuration.hasDistillationToken { parts.append("a distillation token") }
        if configuration.registerCount > 0 { parts.append(count(configuration.registerCount, "register")) }
        return "\(configuration.tokenCount): \(parts.joined(separator: ", "))"
    }

    private var encoder: String {
        var parts = [
            count(configuration.depth, "block"), "width \(configuration.width)", count(configuration.heads, "head"),
            "MLP \(configuration.hiddenWidth)",
            configuration.activation == .gelu ? "exact GELU" : "GELU by tanh",
            "norm epsilon \(configuration.layerNormEpsilon)",
        ]
        if !configuration.qkvBias { parts.append("no qkv bias") }
        if configuration.hasLayerScale { parts.append("layer scale") }
        return parts.joined(separator: ", ")
    }

    private var positions: String {
        let kind = configuration.positions == .learned ? "learned" : "fixed, sine and cosine"
        let prefix = configuration.prefixHasPosition || !configuration.hasClassToken ? "" : ", the class token has none"
        guard let size = configuration.positionImageSize else { return kind + prefix }
        let way = configuration.positionInterpolation == .timm ? "as timm does" : "as transformers does"
        return "\(kind)\(prefix), for \(size.height) × \(size.width) pixels, interpolated \(way)"
    }

    private var pooling: String {
        let norm = configuration.finalNorm == .afterPooling ? ", then the norm" : ""
        switch configuration.pooling {
        case .classToken:
            return configuration.hasDistillationToken
                ? "class and distillation token, two heads averaged" : "class token"
        case .meanPatches: return "mean of the patches" + norm
        }
    }

    private var classes: String {
        guard configuration.classCount > 0 else { return "none: no classifier head" }
        guard let labels = checkpoint.labels else { return "\(configuration.classCount), without names" }
        let some = labels.prefix(12).map(printable).joined(separator: ", ")
        return "\(configuration.classCount): \(some)\(labels.count > 12 ? ", …" : "")"
    }

    private var decoder: String {
        guard let decoder = checkpoint.maeDecoder else { return "" }
        return "\(count(decoder.depth, "block")), width \(decoder.width), \(count(decoder.heads, "head")), "
            + "MLP \(decoder.hiddenWidth), predicts \(checkpoint.maeTarget == .normalized ? "normalised pixels" : "pixels")"
    }

    private var parameters: String {
        let bytes = checkpoint.tensors.reduce(0) { $0 + $1.byteCount }
        return "\(grouped(checkpoint.parameterCount)); in the files \(checkpoint.tensors.count) tensors, "
            + (bytes < 1_000_000 ? "\(fixed(Double(bytes) / 1e3, 1)) kB" : "\(fixed(Double(bytes) / 1e6, 1)) MB")
    }

    private var preprocessing: [String] {
        let preprocessing = checkpoint.preprocessing
        var lines: [String] = []
        let filter = preprocessing.interpolation.rawValue
        switch preprocessing.resize {
        case .none: break
        case .shortestEdge(let edge): lines.append("resize the shorter edge to \(edge), \(filter)")
        case .cover(let width, let height):
            lines.append("resize to cover \(height) × \(width), keeping proportions, \(filter)")
        case .exact(let width, let height): lines.append("squash to \(height) × \(width), \(filter)")
        }
        if let crop = preprocessing.crop { lines.append("centre crop to \(crop.height) × \(crop.width)") }
        let divisor = 1 / preprocessing.rescaleFactor
        lines.append(
            divisor == divisor.rounded()
                ? "divide samples by \(Int(divisor))" : "multiply samples by \(preprocessing.rescaleFactor)")
        lines.append("subtract \(list(preprocessing.mean)), divide by \(list(preprocessing.std))")
        return lines
    }

    private func list(_ values: [Double]) -> String { values.map { "\($0)" }.joined(separator: " ") }

    private var tensors: [String] {
        let width = checkpoint.tensors.map(\.name.count).max() ?? 0
        return checkpoint.tensors.map { tensor in
            let shape = tensor.shape.isEmpty ? "scalar" : tensor.shape.map(String.init).joined(separator: " × ")
            return "\(printable(tensor.name).padded(to: width))  \(tensor.type.rawValue.padded(to: 4))  \(shape)"
        }
    }
}

/// A count with its noun, in the singular or plural.
private func count(_ number: Int, _ thing: String) -> String { "\(number) \(thing)\(number == 1 ? "" : "s")" }

/// An integer with thousands separators.
private func grouped(_ number: Int) -> String {
    var text = ""
    for (index, digit) in "\(number)".reversed().enumerated() {
        if index > 0 && index % 3 == 0 { text.append(",") }
        text.append(digit)
    }
    return String(text.reversed())
}
