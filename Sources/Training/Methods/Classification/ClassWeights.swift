import Datasets
import Models
import Support

/// What the loss of each class is multiplied by.
public enum ClassWeights: Sendable, Hashable {
    /// The same for all.
    case none
    /// Images over classes and images of the class: each class counts as much as any other.
    case balanced
    /// A table with the columns label and weight; classes that it does not name weigh 1.
    case file(String)
    /// A weight per class, in the order of the data's classes: what a run resolves the others to.
    case list([Double])

    /// A weight per class; empty: all are alike.
    var values: [Double] { if case .list(let values) = self { values } else { [] } }

    /// The weights for the classes of a data set.
    func resolved(_ dataset: ImageDataset) throws -> ClassWeights {
        switch self {
        case .none, .list: return self
        case .balanced:
            var counts = [Int](repeating: 0, count: dataset.classes.count)
            for sample in dataset.training { if let label = sample.label { counts[label] += 1 } }
            let mean = Double(dataset.training.count) / Double(dataset.classes.count)
            // A class without a training image has no loss to weight.
            return .list(counts.map { $0 == 0 ? 1 : mean / Double($0) })
        case .file(let path): return .list(try Self.read(path, classes: dataset.classes))
        }
    }

    /// Reads a table with the columns label and weight, which has a class once at most; others weigh 1.
    private static func read(_ path: String, classes: [String]) throws -> [Double] {
        let bytes = try InputPaths.bytes(of: path, expected: "a table with the columns label,weight")
        var weights = [Double?](repeating: nil, count: classes.count)
        var reader = CSVReader(bytes)
        do {
            guard let header = try reader.next(), header.fields == ["label", "weight"] else {
                throw InputError.malformed(path, "does not begin with the line label,weight")
            }
            while let record = try reader.next() {
                let line = "in line \(record.line)"
                guard record.fields.count == 2, let weight = Double(record.fields[1]), weight >= 0, weight.isFinite
                else { throw InputError.malformed(path, "\(line), expected a class and a weight from 0 up") }
                guard let index = classes.firstIndex(of: record.fields[0]) else {
                    throw InputError.malformed(path, "\(line), \"\(record.fields[0])\" is no class of the data")
                }
                guard weights[index] == nil else {
                    throw InputError.malformed(path, "\(line), \"\(record.fields[0])\" is repeated")
                }
                weights[index] = weight
            }
        } catch let error as CSVReader.Malformed {
            throw InputError.malformed(path, "in line \(error.line), \(error.reason)")
        }
        guard weights.contains(where: { $0 != nil }) else {
            throw InputError.malformed(path, "has no weight for any class; expected lines such as \(classes[0]),2")
        }
        return weights.map { $0 ?? 1 }
    }
}

extension SettingKind<ClassWeights> {
    /// Recorded as numbers; none where there are no weights.
    static var classWeights: Self {
        Self(
            "none, balanced, or a table with the columns label,weight",
            encode: { .array($0.values.map { .number($0) }) },
            decode: { json in json.doubles.map { $0.isEmpty ? .none : .list($0) } },
            parse: { $0 == "none" ? ClassWeights.none : $0 == "balanced" ? .balanced : .file($0) },
            text: { $0 == .none ? "none" : nil }, valueName: "weights")
    }
}
