/// An address on the web, of the kinds that a hub has: `https://HOST[:PORT]/…`, or `http:` where it is asked for.
package struct WebAddress: Sendable, Hashable, CustomStringConvertible {
    /// Who answers under an address; a token is for one of them.
    package struct Origin: Sendable, Hashable, CustomStringConvertible {
        package let isSecure: Bool
        package let host: String
        package let port: Int

        /// Whom sentences name.
        package var description: String { port == (isSecure ? 443 : 80) ? host : "\(host):\(port)" }
    }

    package let origin: Origin
    /// What follows the host, with its slash; empty, or path and query.
    private let rest: String

    package static let hub = WebAddress(origin: Origin(isSecure: true, host: "huggingface.co", port: 443), rest: "")

    private init(origin: Origin, rest: String) {
        self.origin = origin
        self.rest = rest
    }

    /// Reads an address; nil where it is none, where it has a user's name, or characters that no address has.
    package init?(_ text: String) {
        guard text.utf8.count <= 8192, text.utf8.allSatisfy({ (0x21..<0x7F).contains($0) && $0 != 0x22 && $0 != 0x5C })
        else { return nil }
        let scheme = text.prefix { $0 != ":" }.lowercased()
        guard ["http", "https"].contains(scheme), text.dropFirst(scheme.count).hasPrefix("://") else { return nil }
        let place = text.dropFirst(scheme.count + 3)
        let authority = place.prefix { !"/?#".contains($0) }
        let (host, port) = Self.parts(of: authority)
        guard let host, let number = port.isEmpty ? (scheme == "https" ? 443 : 80) : Int(port),
            (1...65535).contains(number)
        else { return nil }
        origin = Origin(isSecure: scheme == "https", host: host, port: number)
        rest = String(place.dropFirst(authority.count).prefix { $0 != "#" })
    }

    private static func parts(of authority: Substring) -> (host: String?, port: Substring) {
        // The address of a machine in brackets (IPv6) has colons of its own.
        let end = authority.hasPrefix("[") ? authority.firstIndex(of: "]") : nil
        let host = end.map { authority[...$0] } ?? authority.prefix { $0 != ":" }
        let tail = authority.dropFirst(host.count)
        guard tail.isEmpty || tail.first == ":" && tail.count > 1 else { return (nil, "") }
        let isHost =
            !host.isEmpty
            && host.utf8.allSatisfy { byte in
                switch UnicodeScalar(byte) {
                case "a"..."z", "A"..."Z", "0"..."9", ".", "-", "_": true
                case "[", "]", ":": end != nil
                default: false
                }
            }
        let port = tail.dropFirst()
        return (isHost && port.allSatisfy { $0.isASCII && $0.isNumber } ? host.lowercased() : nil, port)
    }

    /// The whole address.
    package var description: String {
        "\(origin.isSecure ? "https" : "http")://\(origin)\(rest.isEmpty || rest.hasPrefix("/") ? rest : "/" + rest)"
    }

    /// Whether nothing follows a `?`, so that a path can be added.
    package var isPlain: Bool { !rest.contains("?") }

    /// The address with path components added, escaped.
    package func appending(_ components: [String]) -> WebAddress {
        WebAddress(origin: origin, rest: rest + components.map { "/" + Self.escaped($0) }.joined())
    }

    /// Whether a server under this address may send its client to another one: never from encryption to none.
    package func mayLead(to next: WebAddress) -> Bool { next.origin.isSecure || !origin.isSecure }

    /// Where a server that answered under this address sends its client; nil where that is no address.
    package func following(_ location: String) -> WebAddress? {
        if location.hasPrefix("//") { return WebAddress((origin.isSecure ? "https:" : "http:") + location) }
        if location.hasPrefix("/") { return WebAddress(WebAddress(origin: origin, rest: "").description + location) }
        return WebAddress(location)
    }

    /// A component of a path (RFC 3986).
    private static func escaped(_ component: String) -> String {
        component.utf8.reduce(into: "") { text, byte in
            let scalar = UnicodeScalar(byte)
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", ".", "-", "_", "~": text.unicodeScalars.append(scalar)
            default: text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
    }
}
