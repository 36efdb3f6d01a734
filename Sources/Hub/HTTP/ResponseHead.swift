/// The status and the headers of an answer, as a server wrote them: nothing in them is to be trusted.
package struct ResponseHead {
    package let status: Int
    /// By names in lower case; of several under one name, the last.
    private let headers: [String: String]

    /// Headers of more bytes than this are refused.
    package static let largest = 1 << 17

    private init(status: Int, headers: [String: String]) {
        self.status = status
        self.headers = headers
    }

    /// Takes the first head off the bytes that a server sent; nil while it is not whole.
    ///
    /// - Throws: `Malformed` where it is none.
    package static func take(from bytes: inout [UInt8]) throws(Malformed) -> ResponseHead? {
        while true {
            guard let (end, next) = end(in: bytes) else {
                if bytes.count > largest { throw Malformed() }
                return nil
            }
            let head = try parse(bytes[..<end])
            bytes.removeFirst(next)
            // What a server says before its answer, such as "100 Continue".
            if head.status >= 200 || head.status == 101 { return head }
        }
    }

    package struct Malformed: Error {}

    /// Where the empty line begins, and what is behind it.
    private static func end(in bytes: [UInt8]) -> (Int, Int)? {
        let newline = UInt8(ascii: "\n")
        var place = 0
        while let first = bytes[place...].firstIndex(of: newline) {
            let next = first + 1
            if next < bytes.count, bytes[next] == newline { return (next, next + 1) }
            if next + 1 < bytes.count, bytes[next] == UInt8(ascii: "\r"), bytes[next + 1] == newline {
                return (next, next + 2)
            }
            place = next
        }
        return nil
    }

    private static func parse(_ bytes: ArraySlice<UInt8>) throws(Malformed) -> ResponseHead {
        var lines = String(decoding: bytes, as: UTF8.self).split { $0.isNewline }[...]
        let words = (lines.popFirst() ?? "").split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].hasPrefix("HTTP/"), words[1].utf8.count == 3, let status = Int(words[1]),
            (100..<600).contains(status)
        else { throw Malformed() }
        var headers: [String: String] = [:]
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            headers[parts[0].lowercased()] = trimmed(parts[1])
        }
        return ResponseHead(status: status, headers: headers)
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text.drop { $0 == " " || $0 == "\t" })
    }

    /// The value of a header.
    package subscript(_ name: String) -> String? { headers[name.lowercased()] }

    /// The value of a header that is a count of bytes or seconds; nil for any other.
    package func count(_ name: String) -> Int? {
        guard let text = self[name], !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text)
    }

    package var isRedirect: Bool { [301, 302, 303, 307, 308].contains(status) }

    /// The place of the first byte that follows, and the length of the whole, of an answer to a request for a range.
    package var contentRange: (start: Int, total: Int?)? {
        guard let text = self["Content-Range"], text.hasPrefix("bytes ") else { return nil }
        let parts = text.dropFirst(6).split { $0 == "-" || $0 == "/" }
        guard parts.count == 3, let start = Int(parts[0]), start >= 0 else { return nil }
        return (start, Int(parts[2]))
    }

    /// These headers, and of `earlier` those that they lack.
    package func merging(_ earlier: ResponseHead?) -> ResponseHead {
        ResponseHead(status: status, headers: headers.merging(earlier?.headers ?? [:]) { own, _ in own })
    }
}
