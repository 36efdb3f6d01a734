import Compute
import Imaging
import Models
import Support

/// The description of a checkpoint as text.
struct InspectText {
    private let checkpoint: Checkpoint
    private var configuration: any ModelConfiguration { checkpoint.configuration }

    init(_ checkpoint: Checkpoint) { self.checkpoint = checkpoint }

    var text: String {
        var text = "\(printable(checkpoint.path))\n"
        for (name, value) in facts where !value.isEmpty { text += "  \(name.padded(to: 11)) \(value)\n" }
        text += section("Preprocessing", preprocessing)
        text += section(
            "Assumed, because no file states it",
            (checkpoint.assumptions + (checkpoint.activationAssumption.map { [$0] } ?? [])).map(printable))
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
            ("found under", checkpoint.location.map { printable($0) } ?? ""),
            ("image", "\(size.height) × \(size.width) pixels, \(counted(channels, "channel"))"),
            ("patches", patches),
        ] + checkpoint.family.rows(of: checkpoint, classes: classes) + [
            ("activation", configuration.classCount > 0 ? checkpoint.headActivation.rawValue : ""),
            ("parameters", parameters), ("memory", memory),
        ]
    }

    private var patches: String {
        let (patch, grid) = (configuration.patchSize, configuration.grid)
        return "\(patch.height) × \(patch.width) pixels, \(grid.height) × \(grid.width) of them"
    }

    private var classes: String {
        guard configuration.classCount > 0 else { return "none: no classifier head" }
        guard let labels = checkpoint.labels else { return "\(configuration.classCount), without names" }
        let some = labels.prefix(12).map(printable).joined(separator: ", ")
        return "\(configuration.classCount): \(some)\(labels.count > 12 ? ", …" : "")"
    }

    private var parameters: String {
        let bytes = checkpoint.tensors.reduce(0) { $0 + $1.byteCount }
        return "\(grouped(checkpoint.parameterCount)); in the files \(checkpoint.tensors.count) tensors, "
            + (bytes < 1_000_000 ? "\(fixed(Double(bytes) / 1e3, 1)) kB" : "\(fixed(Double(bytes) / 1e6, 1)) MB")
    }

    private var memory: String {
        let sizes = Precision.allCases.map { precision in
            "\(fixed(Double(checkpoint.weightBytes(precision)) / 1e6, 1)) MB in \(precision.rawValue)"
        }
        return "the weights take \(sizes.joined(separator: ", "))"
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
            divisor == divisor.rounded() && divisor.magnitude < 1e9
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

/// An integer with thousands separators.
private func grouped(_ number: Int) -> String {
    var text = ""
    for (index, digit) in "\(number)".reversed().enumerated() {
        if index > 0 && index % 3 == 0 { text.append(",") }
        text.append(digit)
    }
    return String(text.reversed())
}
