import Datasets
import Models
import Support

/// The formats of embedding files, chosen by file extension.
public enum EmbeddingFormat: String, Sendable, Hashable, CaseIterable {
    /// A NumPy array (N, …).
    case npy
    /// A single tensor, `embeddings`.
    case safetensors
    /// One column per number: path, sha256, 0, 1, ….
    case csv
    /// One object per line: path, sha256, embedding.
    case jsonl

    /// The format for the extension of `path`; nil for other extensions.
    public init?(path: String) {
        guard let dot = path.lastIndex(of: ".") else { return nil }
        self.init(rawValue: path[path.index(after: dot)...].lowercased())
    }

    static func unknown(_ path: String) -> ModelUseError {
        .unfitting("\(path): does not end in .npy, .safetensors, .csv or .jsonl")
    }

    /// Whether rows carry the path of their image; otherwise an index file does.
    public var namesImages: Bool { self == .csv || self == .jsonl }
}

/// What the rows of an embedding file stand for.
enum EmbeddingRowKind {
    case image, text

    /// The name of the column that tells one row from another.
    var column: String {
        switch self {
        case .image: "path"
        case .text: "text"
        }
    }
}

/// Encodes rows as the bytes of a file.
struct EmbeddingEncoder {
    let format: EmbeddingFormat
    let element: NumPyMatrix.Element
    /// The shape of a row.
    let shape: [Int]
    var kind = EmbeddingRowKind.image

    /// The header of a file with `rows` rows. Its length does not depend on `rows`, so that the number can be filled in later.
    func head(rows: Int) -> [UInt8] {
        switch format {
        case .npy: return NumPyHeader.bytes(descriptor: element.rawValue, shape: [rows] + shape)
        case .safetensors: return safetensorsHead(rows: rows)
        case .csv:
            let columns = (0..<shape.reduce(1, *)).map(String.init).joined(separator: ",")
            return Array("\(kind.column),sha256,\(columns)\n".utf8)
        case .jsonl: return []
        }
    }

    private func safetensorsHead(rows: Int) -> [UInt8] {
        let byteCount = shape.reduce(rows * element.size, *)
        let tensor = JSON.object([
            JSON.Member("dtype", .string(element == .float32 ? "F32" : "F16")),
            JSON.Member("shape", .array(([rows] + shape).map { .integer($0) })),
            JSON.Member("data_offsets", .array([.integer(0), .integer(byteCount)])),
        ])
        var text = Array(JSON.object([JSON.Member("embeddings", tensor)]).text(compact: true).utf8)
        let length = 248
        text += [UInt8](repeating: UInt8(ascii: " "), count: length - text.count)
        return (0..<8).map { UInt8(UInt64(length) >> (8 * $0) & 0xFF) } + text
    }

    /// The bytes of one row.
    ///
    /// - Parameter path: the image's path, or the text.
    func row(_ values: [Float], path: String, digest: SHA256) -> [UInt8] {
        switch format {
        case .npy, .safetensors: return bytes(values)
        case .csv:
            return Array(
                "\(CSVField.text(path)),\(digest.hex),\(values.map(text).joined(separator: ","))\n".utf8)
        case .jsonl:
            let start = JSON.object([
                JSON.Member(kind.column, .string(path)), JSON.Member("sha256", .string(digest.hex)),
            ])
            return Array("\(start.text(compact: true).dropLast()),\"embedding\":\(list(values))}\n".utf8)
        }
    }

    private func bytes(_ values: [Float]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(values.count * element.size)
        for value in values {
            if element == .float32 {
                let bits = value.bitPattern
                for shift in [0, 8, 16, 24] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: bits >> shift)) }
            } else {
                let bits = Float16(value).bitPattern
                bytes.append(UInt8(truncatingIfNeeded: bits))
                bytes.append(UInt8(truncatingIfNeeded: bits >> 8))
            }
        }
        return bytes
    }

    /// The shortest digits that round-trip.
    private func text(_ value: Float) -> String { element == .float32 ? "\(value)" : "\(Float16(value))" }

    /// A list of numbers, or a list of lists with one per patch.
    private func list(_ values: [Float]) -> String {
        let width = shape.last ?? values.count
        let lists = stride(from: 0, to: values.count, by: width).map { start in
            "[\(values[start..<start + width].map(text).joined(separator: ","))]"
        }
        return shape.count == 1 ? lists.joined() : "[\(lists.joined(separator: ","))]"
    }

    /// Whether every value is in the range of the element type.
    func canHold(_ values: [Float]) -> Bool {
        element == .float32 || values.allSatisfy { $0.magnitude <= Float(Float16.greatestFiniteMagnitude) }
    }
}
