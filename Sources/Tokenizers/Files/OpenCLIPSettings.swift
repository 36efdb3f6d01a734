import Support

/// What `open_clip_config.json` says about text.
struct OpenCLIPSettings {
    /// How many tokens a text has.
    var length = 77
    /// Whether texts are tokenized by transformers, and not by OpenAI's own tokenizer.
    var usesTransformers = false
    var cleaning: Cleaning

    init?(directory: String) throws(FileError) {
        let name = "open_clip_config.json"
        guard let json = try TokenizerSettings.object(directory, name) else { return nil }
        let path = Files.join(directory, name)
        let text = json["model_cfg"]?["text_cfg"] ?? json["text_cfg"]
        usesTransformers = text?["hf_tokenizer_name"] != nil
        cleaning = usesTransformers ? .whitespace : .lower
        if let length = text?["context_length"]?.integer {
            guard TokenizerSettings.lengths.contains(length) else {
                throw .malformed(path, "has the context_length \(length); a number of tokens was expected")
            }
            self.length = length
        }
        for option in text?["tokenizer_kwargs"]?.members ?? [] {
            switch (option.name, option.value.string) {
            case ("clean", let name?):
                guard let cleaning = Cleaning(rawValue: name) else {
                    let known = Cleaning.allCases.map(\.rawValue).joined(separator: ", ")
                    throw .malformed(path, "cleans texts by \"\(name)\"; known are \(known)")
                }
                self.cleaning = cleaning
            default:
                guard option.value == .bool(false) || option.value == .null else {
                    throw .malformed(path, "has the option \"\(option.name)\" for its tokenizer, which is not known")
                }
            }
        }
    }

    /// OpenCLIP's own: 77 tokens, in lower case.
    init() { cleaning = .lower }
}
