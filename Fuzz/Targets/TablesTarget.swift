import Datasets
import LibC
import Support
import SwiftViT

extension Target {
    /// Tables of images, lists of them, names of classes and the index of an array.
    static let tables = Target(name: "tables") {
        for name in ["a.png", "b.png", "train/a.png", "val/b.png"] { Scratch.copy("imaging/noise.png", to: name) }
    } read: { bytes in
        let path = Scratch.write(bytes, to: "table.csv")
        for requiresLabels in [true, false] {
            var options = ImageDataset.Options()
            options.requiresLabels = requiresLabels
            if let set = attempt({ try ImageDataset(at: path, options: options) }) {
                check(set.samples(set.evaluationPart).count > 0, "a set has images")
                _ = attempt { try DataFingerprint(of: set) }
            }
        }
        for count in 0..<4 { _ = attempt { try ClassLabels(contentsOfFile: path, count: count) } }
        _ = attempt { try EmbeddingIndex(contentsOfFile: path, rowCount: 2).forEach { _ in } }
        checkTable(bytes)
        // No list leads out of the current directory.
        Scratch.write(bytes.map { $0 == UInt8(ascii: "/") ? UInt8(ascii: "_") : $0 }, to: "list.txt")
        _ = attempt { try InputPaths(expanding: ["@list.txt"]) }
        let name = Files.text(ofName: bytes)
        check(
            bytes.contains(0) || Files.systemPath(name).dropLast().elementsEqual(bytes.map { CChar(bitPattern: $0) }),
            "a name of a file is the same after writing it")
    }

    private static func checkTable(_ bytes: [UInt8]) {
        let records = records(bytes)
        // A line with one empty field is an empty line.
        guard let records, records.allSatisfy({ $0.count > 1 }) else { return }
        let text = records.map { $0.map { CSVField.text($0) }.joined(separator: ",") + "\n" }.joined()
        check(self.records(Array(text.utf8)) == records, "a table is the same after writing it")
    }

    private static func records(_ bytes: [UInt8]) -> [[String]]? {
        var reader = CSVReader(bytes)
        var records: [[String]] = []
        do {
            while let record = try reader.next() { records.append(record.fields) }
        } catch {
            return nil
        }
        return records
    }
}
