/// A number with this many digits after the point.
package func fixed(_ value: Double, _ digits: Int) -> String {
    let scale = (0..<digits).reduce(1.0) { product, _ in product * 10 }
    guard value.isFinite, abs(value) * scale < 1e15 else { return "\(value)" }
    let units = Int((abs(value) * scale).rounded())
    let sign = value < 0 && units > 0 ? "-" : ""
    guard digits > 0 else { return "\(sign)\(units)" }
    let fraction = String(units % Int(scale))
    return "\(sign)\(units / Int(scale)).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
}

/// A fraction as a percentage with two digits after the point.
package func percent(_ value: Double) -> String { "\(fixed(value * 100, 2)) %" }

/// Text on one line, in which a name can neither control a terminal, nor look like another line or another name: control
/// characters, ends of lines and changes of the direction of writing are escaped, as `\n`, `\x1B` or `\u{202E}`.
package func printable(_ text: String) -> String {
    if text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return text }
    return text.unicodeScalars.reduce(into: "") { $0.unicodeScalars.append(contentsOf: printable($1)) }
}

private func printable(_ scalar: Unicode.Scalar) -> String.UnicodeScalarView {
    let number = String(scalar.value, radix: 16, uppercase: true)
    switch scalar {
    case "\n": return "\\n".unicodeScalars
    case "\r": return "\\r".unicodeScalars
    case "\t": return "\\t".unicodeScalars
    case "\0"..."\u{1F}", "\u{7F}": return "\\x\(number.count < 2 ? "0" : "")\(number)".unicodeScalars
    default: break
    }
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: return "\\u{\(number)}".unicodeScalars
    default:
        return scalar.properties.isBidiControl ? "\\u{\(number)}".unicodeScalars : String(scalar).unicodeScalars
    }
}

/// A command as a shell reads it: words with other than harmless characters stand in quotation marks.
package func shellCommand(_ words: [String]) -> String {
    words.map { word in
        let isHarmless = word.utf8.allSatisfy { byte in
            switch UnicodeScalar(byte) {
            case "a"..."z", "A"..."Z", "0"..."9", "_", "-", "+", "=", ":", ",", ".", "/", "@", "%": true
            default: false
            }
        }
        if isHarmless, !word.isEmpty { return word }
        let parts = word.unicodeScalars.split(separator: "'", omittingEmptySubsequences: false).map { String($0) }
        return "'\(parts.joined(separator: "'\\''"))'"
    }.joined(separator: " ")
}

/// Text for HTML.
package func escaped(_ text: String) -> String {
    // Scalar by scalar: a quotation mark is one for a browser, whatever accents follow it.
    text.unicodeScalars.reduce(into: "") { result, scalar in
        switch scalar {
        case "&": result += "&amp;"
        case "<": result += "&lt;"
        case ">": result += "&gt;"
        case "\"": result += "&quot;"
        default: result.unicodeScalars.append(scalar)
        }
    }
}

/// A page that needs no other file.
package func htmlPage(title: String, style: String, body: String) -> String {
    """
    <!DOCTYPE html>
    <html lang="en"><head><meta charset="utf-8"><title>\(escaped(title))</title>
    <meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
    <style>
    \(style)
    </style></head><body>
    \(body)
    </body></html>

    """
}

/// Bytes in base 64 (RFC 4648).
package func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for first in stride(from: 0, to: bytes.count, by: 3) {
        let part = bytes[first..<min(first + 3, bytes.count)]
        let bits = part.reduce(0) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - part.count))
        for index in 0..<4 {
            text.append(index <= part.count ? alphabet[Int(bits >> UInt32(18 - 6 * index) & 63)] : UInt8(ascii: "="))
        }
    }
    return String(decoding: text, as: UTF8.self)
}
