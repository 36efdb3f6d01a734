import Datasets
import Support

extension FinetuningOptions.ClassWeights {
    /// The weights in the order of the set's classes; empty: all are alike.
    func resolve(_ dataset: ImageDataset) throws -> [Double] {
        switch self {
        case .none: return []
        case .balanced:
            var counts = [Int](repeating: 0, count: dataset.classes.count)
            for sample in dataset.training { if let label = sample.label { counts[label] += 1 } }
            let mean = Double(dataset.training.count) / Double(dataset.classes.count)
            // A class without an image to learn from has no loss that could be weighted.
            return counts.map { $0 == 0 ? 1 : mean / Double($0) }
        case .file(let path): return try Self.read(path, classes: dataset.classes)
        }
    }

    /// Reads a table with the columns label and weight, which has each class once.
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
                else { throw InputError.malformed(path, "\(line), has no class and a weight from 0 up") }
                guard let index = classes.firstIndex(of: record.fields[0]) else {
                    throw InputError.malformed(
                        path, "\(line), names \"\(record.fields[0])\", which is no class of the data")
                }
                guard weights[index] == nil else {
                    throw InputError.malformed(path, "\(line), names \"\(record.fields[0])\" once more")
                }
                weights[index] = weight
            }
        } catch let error as CSVReader.Malformed {
            throw InputError.malformed(path, "in line \(error.line), \(error.reason)")
        }
        let missing = zip(classes, weights).first { $0.1 == nil }
        if let missing { throw InputError.malformed(path, "gives no weight for the class \"\(missing.0)\"") }
        return weights.compactMap { $0 }
    }
}
