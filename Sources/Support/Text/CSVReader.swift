/// The records of a comma-separated text as RFC 4180 has them, each with the line it begins on.
///
/// Fields may be quoted and then hold commas, line breaks and doubled quotes; lines end in LF or CR LF, and a CR
/// alone is part of a field; a byte-order mark is skipped, and so are empty lines.
package struct CSVReader {
    package struct Record: Equatable {
        package let line: Int
        package let fields: [String]
    }

    /// What is wrong in which line.
    package struct Malformed: Error, Equatable {
        package let line: Int
        package let reason: String

        package init(line: Int, reason: String) {
            self.line = line
            self.reason = reason
        }
    }

    /// A line of commas alone would take a hundred times its size.
    private static let mostFields = 10_000

    /// The column of paths, which are bytes (see `Files.text(ofName:)`); all other fields are UTF-8.
    package var pathColumn: Int?
    private let bytes: [UInt8]
    private var position: Int
    private var line = 1

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    /// The next record; nil at the end.
    package mutating func next() throws(Malformed) -> Record? {
        while position < bytes.count, skipLineEnd() {}
        guard position < bytes.count else { return nil }
        let start = line
        var fields = [try field(0)]
        while position < bytes.count && !skipLineEnd() {
            // A field ends at a comma, at a line's end or at the end of the text.
            position += 1
            guard fields.count < Self.mostFields else {
                throw Malformed(line: start, reason: "it has more than \(Self.mostFields) fields")
            }
            fields.append(try field(fields.count))
        }
        return Record(line: start, fields: fields)
    }

    private mutating func skipLineEnd() -> Bool {
        let length = lineEnd(at: position)
        position += length
        if length > 0 { line += 1 }
        return length > 0
    }

    /// The number of bytes of the line's end at a place; 0 where there is none.
    private func lineEnd(at place: Int) -> Int {
        if bytes[place] == UInt8(ascii: "\n") { return 1 }
        let isReturn = bytes[place] == UInt8(ascii: "\r")
        return isReturn && place + 1 < bytes.count && bytes[place + 1] == UInt8(ascii: "\n") ? 2 : 0
    }

    /// Whether a field may end at a place.
    private func isEnd(_ place: Int) -> Bool {
        place == bytes.count || bytes[place] == UInt8(ascii: ",") || lineEnd(at: place) > 0
    }

    private mutating func field(_ column: Int) throws(Malformed) -> String {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
            var end = position
            var hasQuote = false
            while end < bytes.count {
                let byte = bytes[end]
                // Most bytes are of no interest, and are seen to be so at once.
                if byte <= UInt8(ascii: ","), isEnd(end) { break }
                if byte == UInt8(ascii: "\"") { hasQuote = true }
                end += 1
            }
            defer { position = end }
            let content = bytes[position..<end]
            if hasQuote {
                throw Malformed(
                    line: line, reason: "a quote stands inside a field; quote the whole field and double it")
            }
            return try text(content, column, line: line)
        }
        return try quotedField(column)
    }

    private mutating func quotedField(_ column: Int) throws(Malformed) -> String {
        let start = line
        var content: [UInt8] = []
        position += 1
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte != UInt8(ascii: "\"") {
                if byte == UInt8(ascii: "\n") { line += 1 }
                content.append(byte)
            } else if position < bytes.count && bytes[position] == UInt8(ascii: "\"") {
                content.append(byte)
                position += 1
            } else {
                if !isEnd(position) {
                    throw Malformed(line: line, reason: "text follows a closing quote; expected a comma")
                }
                return try text(content[...], column, line: start)
            }
        }
        throw Malformed(line: start, reason: "a quote is never closed")
    }

    private func text(_ bytes: ArraySlice<UInt8>, _ column: Int, line: Int) throws(Malformed) -> String {
        if column == pathColumn { return Files.text(ofName: bytes) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Malformed(line: line, reason: "the text is not UTF-8")
        }
        return text
    }
}
