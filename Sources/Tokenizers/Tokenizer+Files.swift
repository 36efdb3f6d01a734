import Support

extension Tokenizer {
    private static let names = (
        tokenizer: "tokenizer.json", vocabulary: "vocab.json", merges: "merges.txt", pieces: "spiece.model",
        openAI: "bpe_simple_vocab_16e6.txt.gz"
    )

    /// The names of the files that a tokenizer in a checkpoint's directory may have.
    package static let fileNames = [
        names.tokenizer, names.vocabulary, names.merges, names.pieces, names.openAI, "tokenizer_config.json",
        "special_tokens_map.json",
    ]

    /// Reads the tokenizer in a checkpoint's directory.
    ///
    /// - Parameter convention: The program to follow. By default OpenCLIP where there is its `open_clip_config.json` and
    ///   no `config.json` of transformers, or nothing but OpenAI's vocabulary; else transformers.
    public init(directory: String, convention: Convention? = nil) throws(FileError) {
        let files = TokenizerDirectory(path: directory)
        var followed = convention
        if followed == nil { followed = try files.convention() }
        switch followed ?? .transformers {
        case .openCLIP: self = try files.openCLIP()
        case .transformers: self = try files.transformers()
        }
    }

    /// Reads a tokenizer from one file and the settings beside it: a `tokenizer.json`, a `spiece.model`, a `vocab.json`
    /// with its `merges.txt`, or OpenAI's `bpe_simple_vocab_16e6.txt.gz`.
    public init(contentsOf file: String) throws(FileError) {
        let files = TokenizerDirectory(path: Files.directory(of: file))
        switch Files.name(of: file) {
        case let name where name.hasSuffix(".model"): self = try files.sentencePiece(file)
        case let name where name.hasSuffix(".gz"): self = try files.simple(CLIPVocabulary(openAI: file))
        case Self.names.vocabulary: self = try files.clip()
        default: self = try files.pipeline(file)
        }
    }

    /// A directory with a tokenizer in it.
    private struct TokenizerDirectory {
        let path: String

        private func file(_ name: String) -> String { Files.join(path, name) }

        private func has(_ name: String) throws(FileError) -> Bool { try Files.kind(of: file(name)) == .file }

        func convention() throws(FileError) -> Convention {
            if try has("open_clip_config.json") { return try has("config.json") ? .transformers : .openCLIP }
            for name in [names.tokenizer, names.vocabulary, names.pieces] where try has(name) { return .transformers }
            return try has(names.openAI) ? .openCLIP : .transformers
        }

        func openCLIP() throws(FileError) -> Tokenizer {
            let settings = try OpenCLIPSettings(directory: path) ?? OpenCLIPSettings()
            if settings.usesTransformers {
                var tokenizer = try transformers()
                tokenizer.convention = .openCLIP
                tokenizer.cleaning = settings.cleaning
                tokenizer.fitting.length = settings.length
                return tokenizer
            }
            if try has(names.openAI) { return try simple(CLIPVocabulary(openAI: file(names.openAI)), settings) }
            if try has(names.vocabulary) { return try simple(CLIPVocabulary(directory: path), settings) }
            let tokenizerFile = try TokenizerFile(file(names.tokenizer))
            guard case .bytePairs(let model) = tokenizerFile.pipeline.model else {
                throw .malformed(tokenizerFile.path, "has no byte pairs; a vocabulary of CLIP was expected")
            }
            return try simple(CLIPVocabulary(model, path: tokenizerFile.path), settings)
        }

        func simple(
            _ vocabulary: CLIPVocabulary, _ settings: OpenCLIPSettings = OpenCLIPSettings()
        ) throws(FileError) -> Tokenizer {
            let (pipeline, special) = try vocabulary.simplePipeline()
            var tokenizer = Tokenizer(engine: .pipeline(pipeline))
            tokenizer.convention = .openCLIP
            tokenizer.cleaning = settings.cleaning
            tokenizer.special = special
            tokenizer.fitting.length = settings.length
            return tokenizer
        }

        func transformers() throws(FileError) -> Tokenizer {
            let className = try TokenizerSettings(directory: path).className
            // Transformers has no fast tokenizer for SigLIP: its own class reads the pieces, and cleans the text.
            if className == "SiglipTokenizer", try has(names.pieces) { return try sentencePiece(file(names.pieces)) }
            if try has(names.tokenizer) { return try pipeline(file(names.tokenizer)) }
            if try has(names.vocabulary) { return try clip() }
            if try has(names.pieces) { return try sentencePiece(file(names.pieces)) }
            throw FileError(
                .missing, path,
                "holds no tokenizer; expected tokenizer.json, vocab.json and merges.txt, spiece.model or "
                    + names.openAI)
        }

        func clip() throws(FileError) -> Tokenizer {
            var settings = try TokenizerSettings(directory: path)
            let (pipeline, special) = try CLIPVocabulary(directory: path).transformersPipeline(settings)
            settings.setDefault(.padding, "<|endoftext|>")
            var tokenizer = Tokenizer(engine: .pipeline(pipeline))
            tokenizer.special = special
            try tokenizer.fit(settings, Fitting(), padToken: nil)
            return tokenizer
        }

        func sentencePiece(_ file: String) throws(FileError) -> Tokenizer {
            var settings = try TokenizerSettings(directory: path)
            let engine = try SentencePieceTokenizer(SentencePieceFile(file), settings)
            settings.setDefault(.padding, "</s>")
            var tokenizer = Tokenizer(engine: .sentencePiece(engine))
            try tokenizer.fit(settings, Fitting(length: 64), padToken: nil)
            return tokenizer
        }

        func pipeline(_ file: String) throws(FileError) -> Tokenizer {
            var settings = try TokenizerSettings(directory: path)
            let tokenizerFile = try TokenizerFile(file)
            let own = tokenizerFile.pipeline
            var fitting = tokenizerFile.fitting
            var normalizer = own.normalizer
            if settings.className == "CLIPTokenizer" { settings.setDefault(.padding, "<|endoftext|>") }
            if let name = settings.className, name == "Siglip2Tokenizer" || name == "GemmaTokenizer" {
                settings.setDefault(.padding, "<pad>")
                if tokenizerFile.padToken == nil { fitting.padding = .left }
                if name == "Siglip2Tokenizer" {
                    normalizer = .sequence([.lowercase] + (own.normalizer.map { [$0] } ?? []))
                }
            }
            let added = try settings.merged(into: own.addedTokens) { own.id(of: $0) }
            let pipeline = Pipeline(
                model: own.model, normalizer: normalizer, preTokenizer: own.preTokenizer, addedTokens: added)
            var tokenizer = Tokenizer(engine: .pipeline(pipeline))
            tokenizer.special = tokenizerFile.special
            try tokenizer.fit(settings, fitting, padToken: tokenizerFile.padToken)
            return tokenizer
        }
    }

    /// Settles how lists are cut and filled: by the settings, else by the tokenizer's file.
    private mutating func fit(
        _ settings: TokenizerSettings, _ own: Fitting, padToken: Int32?
    ) throws(FileError) {
        fitting = own
        fitting.length = settings.length ?? own.length
        fitting.padding = settings.padding ?? own.padding
        fitting.truncation = settings.truncation ?? own.truncation
        if let token = settings.special(.padding) {
            guard let id = id(of: token.content) else { throw settings.lacks(token.content) }
            fitting.padToken = id
        } else {
            fitting.padToken = padToken ?? 0
        }
    }
}
