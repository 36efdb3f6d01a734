import Compute
import Imaging
import Models
import Support
import TensorFiles

extension Checkpoint {
    /// The number of parameters, including the decoder's.
    var parameterCount: Int { parameterShapes.reduce(0) { $0 + $1.shape.reduce(1, *) } }

    /// The bytes of memory that the weights take once the model is built: those of the blocks' layers at the precision of
    /// products, all others in float32.
    func weightBytes(_ precision: Precision) -> Int {
        parameterShapes.reduce(0) { sum, parameter in
            let isRounded = parameter.shape.count == 2 && parameter.name.contains("blocks.")
            let size = isRounded ? Engines.bytesPerWeight(precision) : MemoryLayout<Float>.stride
            return sum + parameter.shape.reduce(1, *) * size
        }
    }

    /// Everything that `vit inspect` prints, as JSON.
    var json: JSON {
        var members = [
            JSON.Member("path", .string(path)), JSON.Member("layout", .string(layout.rawValue)),
            JSON.Member("summary", .string(summary)), JSON.Member("location", location.map { .string($0) } ?? .null),
            JSON.Member("configuration", family.json(of: configuration)),
            JSON.Member("preprocessing", preprocessing.json), JSON.Member("parameters", .integer(parameterCount)),
            JSON.Member(
                "weight_bytes",
                .object(Precision.allCases.map { JSON.Member($0.rawValue, .integer(weightBytes($0))) })),
            JSON.Member("labels", labels.map { .array($0.map { .string($0) }) } ?? .null),
        ]
        if configuration.classCount > 0 { members.append(JSON.Member("activation", .string(headActivation.rawValue))) }
        members += family.furtherJSON(of: self)
        let all = assumptions + (activationAssumption.map { [$0] } ?? [])
        members.append(JSON.Member("assumptions", .array(all.map { .string($0) })))
        members.append(JSON.Member("ignored", .object(ignored.map { JSON.Member($0.name, .string($0.reason)) })))
        members.append(JSON.Member("tensors", .array(tensors.map(\.json))))
        return .object(members)
    }
}

extension TensorDescription {
    fileprivate var json: JSON {
        .object([
            JSON.Member("name", .string(name)), JSON.Member("dtype", .string(type.rawValue)),
            JSON.Member("shape", .array(shape.map { .integer($0) })),
        ])
    }
}

extension JSON {
    /// A single-precision number by its shortest decimal; the digits of the wider type would follow it otherwise.
    static func decimal(_ value: Float) -> JSON { .number(Double("\(value)") ?? Double(value)) }
}
