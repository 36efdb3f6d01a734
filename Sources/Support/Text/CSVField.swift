/// A field of comma-separated values (RFC 4180).
package enum CSVField {
    /// A field, in quotes where it needs them.
    package static func text(_ text: String) -> String {
        let special = [UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "\n"), UInt8(ascii: "\r")]
        // At the beginning of a file, a byte-order mark is no part of the field.
        let isMarked = text.unicodeScalars.first == "\u{FEFF}"
        let isPlain =
            !isMarked && !text.utf8.contains { special.contains($0) } && text.first != " " && text.last != " "
        if isPlain { return text }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" { quoted += "\"" }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "\""
    }
}
