import Support

/// The vocabulary of CLIP's byte-level pairs, from the files it comes in.
struct CLIPVocabulary {
    let path: String
    let tokens: TokenTable
    let merges: MergeTable

    /// Reads `vocab.json` and the `merges.txt` beside it.
    init(directory: String) throws(FileError) {
        path = Files.join(directory, "vocab.json")
        var scanner = JSONScanner(try Files.content(of: path, expected: "a vocabulary"), path: path)
        tokens = try VocabularyReader(path: path).tokens(&scanner)
        try scanner.finish()
        let mergesPath = Files.join(directory, "merges.txt")
        var builder = MergeBuilder(path: mergesPath, table: tokens)
        let lines = try Files.content(of: mergesPath, expected: "a list of merges").split(separator: UInt8(ascii: "\n"))
        for (index, line) in lines.enumerated() {
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            if index == 0, line.starts(with: Array("#version".utf8)) { continue }
            try builder.add(line: line)
        }
        merges = builder.merges
    }

    /// The vocabulary of a pipeline that was read from a `tokenizer.json`.
    init(_ model: BytePairEncoding, path: String) {
        self.path = path
        tokens = model.tokens
        merges = model.merges
    }

    /// Reads OpenAI's `bpe_simple_vocab_16e6.txt.gz`: the bytes, the bytes at the end of a word, the merges, 48,894 at
    /// most, and two special tokens.
    init(openAI path: String) throws(FileError) {
        self.path = path
        let text = try Gzip.content(of: path)
        var tokens = TokenTable()
        var id: Int32 = 0
        func add(_ token: [UInt8]) throws(FileError) {
            guard tokens.insert(token.span, id: id) else {
                throw .malformed(path, "makes the token \"\(String(decoding: token, as: UTF8.self))\" twice")
            }
            id += 1
        }
        // OpenAI counts the visible bytes first.
        let visible = ByteLevel.characters.filter { $0.value < 0x100 }
        let characters = (visible + ByteLevel.characters.filter { $0.value >= 0x100 }).map { [$0].bytes }
        let suffix = Array("</w>".utf8)
        for character in characters { try add(character) }
        for character in characters { try add(character + suffix) }
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropFirst()
            .prefix(Self.mostMerges)
        for line in lines { try add(line.filter { $0 != UInt8(ascii: " ") }) }
        for token in [Self.start, Self.end] { try add(Array(token.utf8)) }
        var builder = MergeBuilder(path: path, table: tokens)
        for line in lines { try builder.add(line: line) }
        self.tokens = tokens
        merges = builder.merges
    }

    /// What remains of 49,152 tokens beside the bytes, twice, and two special tokens: OpenAI's own sum.
    private static let mostMerges = 49_152 - 256 - 2

    static let start = "<start_of_text>"
    static let end = "<end_of_text>"

    /// The id of a special token under OpenAI's name or transformers'.
    func id(_ names: [String]) throws(FileError) -> Int32 {
        for name in names { if let id = tokens.id(name) { return id } }
        throw .malformed(path, "holds no token \(names.joined(separator: " or ")); a vocabulary of CLIP was expected")
    }

    /// OpenCLIP's `SimpleTokenizer`, after its cleaning.
    func simplePipeline() throws(FileError) -> (Pipeline, SpecialTokens) {
        let start = try id([Self.start, "<|startoftext|>"])
        let end = try id([Self.end, "<|endoftext|>"])
        var model = BytePairEncoding(tokens: tokens, merges: merges, suffix: "</w>")
        var words = TokenTable()
        _ = words.insert(Array(Self.start.utf8).span, id: start)
        _ = words.insert(Array(Self.end.utf8).span, id: end)
        model.wholeWords = words
        // U+0345 is a letter in capitals alone: where case is ignored, it is neither a letter nor anything else.
        let source =
            "(?i)\(Self.start)|\(Self.end)" + #"|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}\u0345]+"#
        let pipeline = Pipeline(
            model: .bytePairs(model), normalizer: nil,
            preTokenizer: try Self.words(source, unicode: .max, splits: false, path),
            addedTokens: [])
        return (pipeline, SpecialTokens(before: [start], behind: [end]))
    }

    /// Transformers' `CLIPTokenizer`.
    func transformersPipeline(_ settings: TokenizerSettings) throws(FileError) -> (Pipeline, SpecialTokens) {
        var settings = settings
        for role in [TokenizerSettings.Role.end, .unknown, .padding] { settings.setDefault(role, "<|endoftext|>") }
        settings.setDefault(.start, "<|startoftext|>")
        var model = BytePairEncoding(tokens: tokens, merges: merges, suffix: "</w>")
        model.unknown = (settings.special(.unknown)?.content).flatMap { tokens.id($0) }
        let source =
            #"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"#
        let spaces = Delimiter.pattern(try Self.pattern(#"\s+"#, path))
        let pipeline = Pipeline(
            model: .bytePairs(model),
            normalizer: .sequence([.form(.composed), .replace(spaces, with: [" "]), .lowercase]),
            preTokenizer: try Self.words(source, splits: true, path),
            addedTokens: try settings.merged(into: []) { tokens.id($0) })
        let start = try id([settings.special(.start)?.content ?? ""])
        let end = try id([settings.special(.end)?.content ?? ""])
        return (pipeline, SpecialTokens(before: [start], behind: [end]))
    }

    private static func words(
        _ source: String, unicode version: Int = Pattern.onigurumaVersion, splits: Bool, _ path: String
    ) throws(FileError) -> PreTokenizer {
        let splitter = Splitter(
            delimiter: .pattern(try pattern(source, unicode: version, path)), behavior: .removed, isInverted: true)
        return .sequence([.split(splitter), .byteLevel(addsSpace: false, splits: splits)])
    }

    private static func pattern(
        _ source: String, unicode version: Int = Pattern.onigurumaVersion, _ path: String
    ) throws(FileError) -> Pattern {
        do throws(PatternError) { return try Pattern(source, unicode: version) } catch {
            throw .malformed(path, "needs the pattern \(source), which \(error.reason)")
        }
    }
}
