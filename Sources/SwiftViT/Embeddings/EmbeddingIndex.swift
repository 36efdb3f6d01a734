import Datasets
import Support

/// The table that maps each row of an embedding array to its image, or its text.
package struct EmbeddingIndex: Sendable {
    /// One line of the table.
    package struct Entry: Sendable {
        package let row: Int
        /// The image's path, or the text.
        package let path: String
        package let digest: SHA256
    }

    private let path: String
    private let bytes: [UInt8]
    private let rowCount: Int

    /// Reads the table of an array of `rowCount` rows.
    package init(contentsOfFile path: String, rowCount: Int) throws(InputError) {
        self.path = path
        self.rowCount = rowCount
        bytes = try InputPaths.bytes(of: path, expected: "the index that vit embed writes beside its output")
    }

    /// Passes every entry to `body`, in row order.
    ///
    /// Errors: `InputError` if this is no index, or not that of the array.
    package func forEach(_ body: (Entry) throws -> Void) throws {
        var reader = CSVReader(bytes)
        var count = 0
        do throws(CSVReader.Malformed) {
            let columns = try reader.next()?.fields
            guard columns == ["row", "path", "sha256"] || columns == ["row", "text", "sha256"] else {
                throw CSVReader.Malformed(line: 1, reason: "the columns row,path,sha256 were expected")
            }
        } catch {
            throw malformed(error)
        }
        while let entry = try next(&reader, row: count) {
            try body(entry)
            count += 1
        }
        guard count == rowCount else {
            throw InputError.malformed(
                path, "has \(count) rows, and the array has \(rowCount); they do not belong together")
        }
    }

    private func next(_ reader: inout CSVReader, row: Int) throws(InputError) -> Entry? {
        do throws(CSVReader.Malformed) {
            guard let record = try reader.next() else { return nil }
            guard record.fields.count == 3, record.fields[0] == "\(row)", let digest = SHA256(hex: record.fields[2])
            else {
                throw CSVReader.Malformed(line: record.line, reason: "row \(row), a path and a SHA-256 were expected")
            }
            return Entry(row: row, path: record.fields[1], digest: digest)
        } catch {
            throw malformed(error)
        }
    }

    private func malformed(_ error: CSVReader.Malformed) -> InputError {
        .malformed(path, "line \(error.line): \(error.reason)")
    }
}
