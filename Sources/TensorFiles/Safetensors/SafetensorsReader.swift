import Support

/// Reads the safetensors format: eight bytes with the length of a JSON header, the header, the numbers.
///
/// Source: the format's description at github.com/huggingface/safetensors. As the format demands, the tensors have to
/// cover the data without gap or overlap.
enum SafetensorsReader {
    /// As in the reference implementation; real headers have some hundred kilobytes.
    private static let largestHeader = 100_000_000

    /// Whether `bytes` looks like a safetensors file: a plausible length, then an opening brace.
    static func recognizes(_ bytes: Bytes) -> Bool {
        bytes.count > 8 && bytes.slice(8, 1)?.array == [UInt8(ascii: "{")]
    }

    static func read(_ file: MappedFile) throws(FileError) -> [StoredTensor] {
        let path = file.path
        guard let stated = file.bytes.integer(UInt64.self, at: 0), let length = Int(exactly: stated),
            length <= largestHeader
        else {
            throw .malformed(path, "the length of the safetensors header is beyond any real one; the file is damaged")
        }
        guard let header = file.bytes.slice(8, length) else {
            throw .malformed(
                path,
                "is cut short: its header should take \(length) bytes, the file has \(file.bytes.count); copy it again")
        }
        let data = file.bytes.slice(8 + length, file.bytes.count - 8 - length)
        let parsed: JSON
        do throws(JSONError) {
            parsed = try JSON.parse(header.array)
        } catch {
            throw .malformed(path, "the safetensors header is not valid JSON at byte \(error.offset): \(error.reason)")
        }
        guard let data, let members = parsed.members else {
            throw .malformed(path, "the safetensors header is not a JSON object")
        }
        var tensors: [(tensor: StoredTensor, range: Range<Int>)] = []
        for member in members where member.name != "__metadata__" {
            tensors.append(try tensor(member.name, member.value, data, path: path))
        }
        try checkCoverage(tensors.map { ($0.tensor.name, $0.range) }, dataCount: data.count, path: path)
        return tensors.map(\.tensor)
    }

    private static func tensor(
        _ name: String, _ entry: JSON, _ data: Bytes, path: String
    ) throws(FileError) -> (StoredTensor, Range<Int>) {
        guard let typeName = entry["dtype"]?.string, let shape = entry["shape"]?.integers,
            let offsets = entry["data_offsets"]?.integers, offsets.count == 2
        else {
            throw .malformed(path, "the entry of \(name) lacks dtype, shape or data_offsets")
        }
        guard let type = StoredType(rawValue: typeName) else {
            throw .malformed(path, "\(name) has the type \(typeName); F32, F16, BF16 and F64 can be read")
        }
        guard let count = elementCount(shape) else {
            throw .malformed(path, "\(name) has the impossible shape \(shape)")
        }
        let (start, end) = (offsets[0], offsets[1])
        guard start >= 0, end >= start, end - start == count * type.size else {
            throw .malformed(
                path, "\(name) of shape \(shape) needs \(count * type.size) bytes, its offsets are \(start) to \(end)")
        }
        guard let bytes = data.slice(start, end - start) else {
            throw .malformed(
                path,
                "is cut short: \(name) ends at byte \(end) of the data, of which there are \(data.count); copy it again"
            )
        }
        let description = TensorDescription(name: name, type: type, shape: shape)
        return (StoredTensor(description, source: .mapped(bytes), path: path), start..<end)
    }

    private static func checkCoverage(
        _ tensors: [(name: String, range: Range<Int>)], dataCount: Int, path: String
    ) throws(FileError) {
        var end = 0
        for (name, range) in tensors.sorted(by: {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }) {
            guard range.lowerBound >= end else {
                throw .malformed(path, "\(name) overlaps another tensor at byte \(range.lowerBound) of the data")
            }
            guard range.lowerBound == end else {
                throw .malformed(path, "bytes \(end) to \(range.lowerBound) of the data belong to no tensor")
            }
            end = range.upperBound
        }
        guard end == dataCount else {
            throw .malformed(path, "\(dataCount - end) bytes after the last tensor belong to no tensor")
        }
    }
}
