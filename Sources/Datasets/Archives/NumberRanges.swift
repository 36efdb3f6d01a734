/// Ranges of numbers in a path, as the shell writes them out unless they are quoted: `shard-{000..127}.tar`.
enum NumberRanges {
    /// More paths are not written out.
    static let limit = 100_000

    /// The paths that a path with ranges stands for, in their order; nil where it has none, or too many.
    ///
    /// Where a bound begins with a zero, all numbers have as many digits as the longer bound. Ranges may count down.
    static func expanded(_ path: String) -> [String]? {
        guard let first = nextRange(in: Array(path.utf8)[...]) else { return nil }
        var paths: [[UInt8]] = [[]]
        var next: (range: Range<Int>, numbers: [[UInt8]])? = first
        let bytes = Array(path.utf8)
        var end = 0
        while let (range, numbers) = next {
            guard paths.count * numbers.count <= limit else { return nil }
            let between = bytes[end..<range.lowerBound]
            paths = paths.flatMap { path in numbers.map { path + between + $0 } }
            end = range.upperBound
            next = nextRange(in: bytes[end...])
        }
        return paths.map { String(decoding: $0 + bytes[end...], as: UTF8.self) }
    }

    /// The place of the next range, and its numbers.
    private static func nextRange(in bytes: ArraySlice<UInt8>) -> (Range<Int>, [[UInt8]])? {
        var start = bytes.startIndex
        while let brace = bytes[start...].firstIndex(of: UInt8(ascii: "{")) {
            let inner = bytes[(brace + 1)...].prefix { $0 == UInt8(ascii: ".") || isDigit($0) }
            if inner.endIndex < bytes.endIndex, bytes[inner.endIndex] == UInt8(ascii: "}"), let numbers = numbers(inner)
            {
                return (brace..<inner.endIndex + 1, numbers)
            }
            start = brace + 1
        }
        return nil
    }

    private static func numbers(_ text: ArraySlice<UInt8>) -> [[UInt8]]? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1].isEmpty, !parts[0].isEmpty, !parts[2].isEmpty,
            let first = Int(String(decoding: parts[0], as: UTF8.self)),
            let last = Int(String(decoding: parts[2], as: UTF8.self)), max(first, last) - min(first, last) < limit
        else { return nil }
        let isPadded = [parts[0], parts[2]].contains { $0.count > 1 && $0.first == UInt8(ascii: "0") }
        let width = isPadded ? max(parts[0].count, parts[2].count) : 0
        return stride(from: first, through: last, by: first <= last ? 1 : -1).map { number in
            let digits = Array("\(number)".utf8)
            return [UInt8](repeating: UInt8(ascii: "0"), count: max(0, width - digits.count)) + digits
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
