import Compute
import Foundation
import Layers
import Models

/// A file of `Tests/Fixtures/numerics`.
struct Goldens {
    let archive: TensorArchive

    init(_ name: String) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        archive = try TensorArchive.open(folder.appending(path: "Fixtures/numerics/\(name).safetensors").path)
    }

    subscript(name: String) -> Tensor {
        get throws { try archive.tensor(name) }
    }

    /// The names that begin with `prefix`, without it.
    func names(under prefix: String) -> [String] {
        archive.tensors.map(\.name).filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    }
}

extension Goldens: ParameterSource {
    func parameter(_ name: String) throws -> Parameter { Parameter(value: try self["weights/\(name)"]) }
    func didPack(_ name: String) {}
}

/// The largest absolute difference; infinite where a value is not a number or the sizes differ.
func largestDifference(_ one: [Float], _ other: [Float]) -> Float {
    guard one.count == other.count else { return .infinity }
    var largest: Float = 0
    for (a, b) in zip(one, other) {
        if a.isNaN || b.isNaN { return .infinity }
        largest = max(largest, abs(a - b))
    }
    return largest
}

/// The norm of the difference over the norm of what is expected.
func relativeDifference(_ got: [Float], _ expected: [Float]) -> Double {
    guard got.count == expected.count else { return .infinity }
    let difference = zip(got, expected).reduce(0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
    let norm = expected.reduce(0) { $0 + pow(Double($1), 2) }
    return (difference / max(norm, 1e-30)).squareRoot()
}
