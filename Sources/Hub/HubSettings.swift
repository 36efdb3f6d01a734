import Support

/// Where the hub and its cache are, by the variables that Python's `huggingface_hub` reads.
package struct HubSettings: Sendable {
    private let variable: @Sendable (String) -> String?
    /// Whether nothing may be fetched.
    package let isOffline: Bool

    /// - Parameters:
    ///   - isOffline: whether the caller forbids to fetch; the environment may forbid it, too.
    ///   - variable: gives a variable of the environment.
    package init(isOffline: Bool, variable: @escaping @Sendable (String) -> String? = Environment.value) {
        self.variable = { name in variable(name).flatMap { $0.isEmpty ? nil : $0 } }
        self.isOffline =
            isOffline || Self.isTrue(variable("HF_HUB_OFFLINE")) || Self.isTrue(variable("TRANSFORMERS_OFFLINE"))
    }

    /// The directory of all that belongs to the hub.
    private var home: String {
        if let home = variable("HF_HOME") { return expanded(home) }
        let cache = variable("XDG_CACHE_HOME").map(expanded) ?? Files.join(expanded("~"), ".cache")
        return Files.join(cache, "huggingface")
    }

    /// The directory of the cached models.
    package var cache: String {
        (variable("HF_HUB_CACHE") ?? variable("HUGGINGFACE_HUB_CACHE")).map(expanded) ?? Files.join(home, "hub")
    }

    /// The address of the hub.
    package func endpoint() throws(HubError) -> WebAddress {
        guard let stated = variable("HF_ENDPOINT") else { return .hub }
        guard let address = WebAddress(Files.withoutTrailingSlashes(stated)), address.isPlain else {
            throw HubError(
                .usage, "HF_ENDPOINT",
                "is \"\(stated)\"; the address of a hub was expected, such as https://huggingface.co")
        }
        return address
    }

    /// The token of the user; nil where there is none, or where it is not to be sent.
    package func token() throws(HubError) -> String? {
        if Self.isTrue(variable("HF_HUB_DISABLE_IMPLICIT_TOKEN")) { return nil }
        for name in ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"] {
            if let token = variable(name) { return try Self.checked(token, from: name) }
        }
        let path = variable("HF_TOKEN_PATH").map(expanded) ?? Files.join(home, "token")
        guard !Files.isMissing(path) else { return nil }
        let bytes = try HubError.onFiles { () throws(FileError) in
            try Files.content(of: path, expected: "the token of the hub")
        }
        return try Self.checked(String(decoding: bytes, as: UTF8.self), from: path)
    }

    /// Seconds until a server has to be reached.
    var connectTimeout: Int { seconds("HF_HUB_ETAG_TIMEOUT") ?? 10 }
    /// Seconds without a byte after which a transfer counts as broken.
    var stallTimeout: Int { seconds("HF_HUB_DOWNLOAD_TIMEOUT") ?? 30 }

    private func seconds(_ name: String) -> Int? {
        variable(name).flatMap { Int($0) }.flatMap { (1...3600).contains($0) ? $0 : nil }
    }

    private static func isTrue(_ value: String?) -> Bool {
        value.map { ["1", "ON", "YES", "TRUE"].contains($0.uppercased()) } ?? false
    }

    /// A token without the end of its line; other than visible characters would end the header that carries it.
    private static func checked(_ token: String, from source: String) throws(HubError) -> String? {
        var bytes = token.utf8[...]
        func isSpace(_ byte: UInt8?) -> Bool { byte.map { [0x20, 0x09, 0x0A, 0x0D].contains($0) } ?? false }
        while isSpace(bytes.last) { bytes.removeLast() }
        while isSpace(bytes.first) { bytes.removeFirst() }
        if bytes.isEmpty { return nil }
        guard bytes.count <= 4096, bytes.allSatisfy({ (0x21..<0x7F).contains($0) && $0 != 0x22 && $0 != 0x5C }) else {
            throw HubError(
                .usage, source, "holds characters that no token of the hub has; a word such as hf_… was expected")
        }
        return String(Substring(bytes))
    }

    /// A path with `~`, `$NAME` and `${NAME}` replaced, as Python does it.
    private func expanded(_ path: String) -> String {
        var path = path
        if path == "~" || path.hasPrefix("~/"), let home = Environment.home(variable) { path = home + path.dropFirst() }
        var result = ""
        var rest = path[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            let isBraced = rest.first == "{"
            let body = isBraced ? rest.dropFirst() : rest
            let name = body.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
            let end = body[name.endIndex...]
            if !name.isEmpty, let value = variable(String(name)), !isBraced || end.first == "}" {
                result += value
                rest = isBraced ? end.dropFirst() : end
            } else {
                result += "$"
            }
        }
        return result + rest
    }
}
