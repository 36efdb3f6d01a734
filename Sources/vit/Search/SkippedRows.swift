/// The rows of an index that are not finite, which a command leaves out and names at the end.
struct SkippedRows {
    private var rows: [Int] = []

    /// The number of ranges that are named.
    private static let namedRanges = 50

    mutating func append(_ row: Int) { rows.append(row) }

    /// Names the rows on standard error, and throws if there are any.
    ///
    /// - Parameters:
    ///   - path: the file of the rows.
    ///   - count: the number of its rows.
    func finish(_ path: String, of count: Int) throws {
        guard !rows.isEmpty else { return }
        let verb =
            rows.count == 1 ? "is not finite (NaN or infinity) and was" : "are not finite (NaN or infinity) and were"
        StandardError.report("Error: \(path): \(rows.count == 1 ? "row" : "rows") \(text) \(verb) left out")
        throw CommandFailure(rows.count == count ? .malformedData : .someInputsFailed)
    }

    /// The rows as numbers and ranges: `3, 5–9`.
    private var text: String {
        var ranges: [ClosedRange<Int>] = []
        for row in rows {
            if let last = ranges.last, last.upperBound + 1 == row {
                ranges[ranges.count - 1] = last.lowerBound...row
            } else {
                ranges.append(row...row)
            }
        }
        let named = ranges.prefix(Self.namedRanges)
        let parts = named.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)–\($0.upperBound)" }
        let rest = rows.count - named.reduce(0) { $0 + $1.count }
        return parts.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }
}
