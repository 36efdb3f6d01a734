import Support

/// Reads the steps of a `tokenizer.json`; refuses what it does not know.
struct ComponentReader {
    let path: String
    /// Steps inside steps, deeper than any file has them.
    private static let deepest = 16

    func malformed(_ reason: String) -> FileError { .malformed(path, reason) }

    /// The type of a step.
    private func type(_ json: JSON, _ role: String) throws(FileError) -> String {
        guard let type = json["type"]?.string else { throw malformed("has a \(role) without a \"type\"") }
        return type
    }

    private func unknown(_ role: String, _ type: String, _ known: String) -> FileError {
        malformed("has the \(role) \"\(type)\", which is not known; known are \(known)")
    }

    private func bool(_ json: JSON, _ name: String, default value: Bool? = nil) throws(FileError) -> Bool {
        if let bool = json[name]?.bool { return bool }
        guard json[name] == nil, let value else { throw malformed("has a step whose \"\(name)\" is not true or false") }
        return value
    }

    private func text(_ json: JSON, _ name: String) throws(FileError) -> Text {
        guard let text = json[name]?.string else { throw malformed("has a step whose \"\(name)\" is not a text") }
        return Text(text)
    }

    private func steps<Step>(
        _ json: JSON, _ name: String, _ depth: Int, _ read: (JSON, Int) throws(FileError) -> Step
    ) throws(FileError) -> [Step] {
        guard let elements = json[name]?.elements else { throw malformed("has a sequence without \"\(name)\"") }
        guard depth < Self.deepest else { throw malformed("nests its steps too deeply") }
        var steps: [Step] = []
        for element in elements { steps.append(try read(element, depth + 1)) }
        return steps
    }

    // MARK: Normalizers

    func normalizer(_ json: JSON, depth: Int = 0) throws(FileError) -> Normalizer {
        let type = try type(json, "normalizer")
        switch type {
        case "Sequence": return .sequence(try steps(json, "normalizers", depth, normalizer))
        case "NFC": return .form(.composed)
        case "NFD": return .form(.decomposed)
        case "NFKC": return .form(.compatibleComposed)
        case "NFKD": return .form(.compatibleDecomposed)
        case "Lowercase": return .lowercase
        case "Replace": return .replace(try delimiter(json), with: try text(json, "content"))
        case "Strip": return .strip(left: try bool(json, "strip_left"), right: try bool(json, "strip_right"))
        case "Prepend": return .prepend(try text(json, "prepend"))
        case "Precompiled":
            guard let blob = (json["precompiled_charsmap"]?.string).flatMap(decodeBase64), let map = CharacterMap(blob)
            else { throw malformed("has a damaged \"precompiled_charsmap\"") }
            return .precompiled(map)
        default:
            throw unknown(
                "normalizer", type,
                "Sequence, NFC, NFD, NFKC, NFKD, Lowercase, Replace, Strip, Prepend and Precompiled")
        }
    }

    private func delimiter(_ json: JSON) throws(FileError) -> Delimiter {
        if let text = json["pattern"]?["String"]?.string {
            guard !text.isEmpty else { throw malformed("has a step with an empty pattern") }
            return .text(Text(text))
        }
        guard let source = json["pattern"]?["Regex"]?.string else {
            throw malformed("has a step whose \"pattern\" is neither {\"String\": …} nor {\"Regex\": …}")
        }
        return .pattern(try pattern(source))
    }

    private func pattern(_ source: String) throws(FileError) -> Pattern {
        do throws(PatternError) {
            return try Pattern(source)
        } catch {
            throw malformed("has the pattern \(source), which \(error.reason)")
        }
    }

    // MARK: Pre-tokenizers

    func preTokenizer(_ json: JSON, depth: Int = 0) throws(FileError) -> PreTokenizer {
        let type = try type(json, "pre-tokenizer")
        switch type {
        case "Sequence": return .sequence(try steps(json, "pretokenizers", depth, preTokenizer))
        case "Split":
            let isInverted = try bool(json, "invert", default: false)
            return .split(
                Splitter(delimiter: try delimiter(json), behavior: try behavior(json), isInverted: isInverted))
        case "ByteLevel":
            return .byteLevel(
                addsSpace: try bool(json, "add_prefix_space"), splits: try bool(json, "use_regex", default: true))
        case "Metaspace": return .metaspace(try metaspace(json))
        case "Whitespace":
            return .split(
                Splitter(delimiter: .pattern(try pattern(#"\w+|[^\w\s]+"#)), behavior: .removed, isInverted: true))
        case "WhitespaceSplit":
            return .split(Splitter(delimiter: .characters(CharacterSet(.space)), behavior: .removed))
        case "Digits":
            // Rust's `char::is_numeric`.
            let numbers = CharacterSet(.number)
            let isSingle = try bool(json, "individual_digits", default: false)
            return .split(Splitter(delimiter: .characters(numbers), behavior: isSingle ? .isolated : .contiguous))
        case "CharDelimiterSplit":
            return .split(
                Splitter(delimiter: .characters(CharacterSet(try text(json, "delimiter"))), behavior: .removed))
        default:
            throw unknown(
                "pre-tokenizer", type,
                "Sequence, Split, ByteLevel, Metaspace, Whitespace, WhitespaceSplit, Digits and CharDelimiterSplit")
        }
    }

    private func behavior(_ json: JSON) throws(FileError) -> Splitter.Behavior {
        guard let name = json["behavior"]?.string, let behavior = Splitter.Behavior(rawValue: name) else {
            let known = Splitter.Behavior.allCases.map(\.rawValue).joined(separator: ", ")
            throw malformed("splits with a \"behavior\" that is none of \(known)")
        }
        return behavior
    }

    private func metaspace(_ json: JSON) throws(FileError) -> Metaspace {
        let replacement = try text(json, "replacement")
        guard let scalar = replacement.first, replacement.count == 1 else {
            throw malformed("has a Metaspace whose \"replacement\" is not one character")
        }
        var metaspace = Metaspace(replacement: scalar, splits: try bool(json, "split", default: true))
        if let name = json["prepend_scheme"]?.string {
            guard let prefix = Metaspace.Prefix(rawValue: name) else {
                throw malformed("has a Metaspace with the scheme \"\(name)\"; always, first and never are known")
            }
            metaspace.prefix = prefix
        } else if try !bool(json, "add_prefix_space", default: true) {
            // Files from before there were schemes.
            metaspace.prefix = .never
        }
        return metaspace
    }

    // MARK: Post-processors

    func specialTokens(_ json: JSON, depth: Int = 0) throws(FileError) -> SpecialTokens {
        let type = try type(json, "post-processor")
        switch type {
        case "Sequence":
            return try steps(json, "processors", depth, specialTokens).reduce(SpecialTokens()) { $1.around($0) }
        // Shifts offsets alone.
        case "ByteLevel": return SpecialTokens()
        case "RobertaProcessing", "BertProcessing":
            return SpecialTokens(before: [try pairID(json, "cls")], behind: [try pairID(json, "sep")])
        case "TemplateProcessing": return try template(json)
        default:
            throw unknown(
                "post-processor", type,
                "Sequence, ByteLevel, RobertaProcessing, BertProcessing and TemplateProcessing")
        }
    }

    private func pairID(_ json: JSON, _ name: String) throws(FileError) -> Int32 {
        guard let pair = json[name]?.elements, pair.count == 2, let id = id(pair[1]) else {
            throw malformed("has a post-processor whose \"\(name)\" is not a token and its id")
        }
        return id
    }

    private func id(_ json: JSON) -> Int32? {
        guard let id = json.integer, (0..<VocabularyReader.greatestID).contains(id) else { return nil }
        return Int32(id)
    }

    private func template(_ json: JSON) throws(FileError) -> SpecialTokens {
        var special = SpecialTokens()
        var hasText = false
        for part in json["single"]?.elements ?? [] {
            if part["Sequence"] != nil {
                guard !hasText else { throw malformed("has a template that holds the text twice") }
                hasText = true
                continue
            }
            guard let name = part["SpecialToken"]?["id"]?.string,
                let ids = json["special_tokens"]?[name]?["ids"]?.elements
            else { throw malformed("has a template with a part that is neither the text nor a special token with ids") }
            for element in ids {
                guard let id = id(element) else { throw malformed("has a template whose ids are not ids") }
                if hasText { special.behind.append(id) } else { special.before.append(id) }
            }
        }
        guard hasText else { throw malformed("has a template without the text itself") }
        return special
    }
}
