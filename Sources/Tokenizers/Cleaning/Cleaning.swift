/// What a text goes through before it is tokenized, as OpenCLIP calls it.
///
/// Source: `open_clip/tokenizer.py`.
enum Cleaning: String, Sendable, CaseIterable {
    case whitespace
    case lower
    case canonicalize

    func clean(_ text: Text) -> Text {
        let basic = HTMLEntities.unescape(HTMLEntities.unescape(TextRepair.repair(text))).stripped
        switch self {
        case .whitespace: return basic.singleSpaced
        case .lower: return basic.singleSpaced.pythonLowercased
        case .canonicalize:
            var canonical = basic.map { $0 == "_" ? " " : $0 }
            canonical.removeAll(where: \.isASCIIPunctuation)
            return canonical.pythonLowercased.singleSpaced
        }
    }
}
