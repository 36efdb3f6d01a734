/// Splits texts into lines, which end in LF or CR LF and in nothing else: other separators of Unicode, and a CR alone, may
/// stand in names.
package enum TextLines {
    /// The lines; empty ones are kept, but for one after the last line's end. A byte-order mark is skipped.
    package static func split(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
        var lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let unended = lines.removeLast()
        lines = lines.map { $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0 }
        return unended.isEmpty ? lines : lines + [unended]
    }

    /// Whether a line holds nothing but spaces and tabs.
    package static func isBlank(_ line: ArraySlice<UInt8>) -> Bool {
        line.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    }
}
