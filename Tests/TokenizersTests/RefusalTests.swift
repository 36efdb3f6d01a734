import Support
import TestTools
import Testing

import Tokenizers

/// What is not known is refused in words.
@Suite struct RefusalTests {
    private func reason(_ json: String) throws -> String {
        let scratch = try ScratchDirectory()
        try scratch.write(json, to: "tokenizer.json")
        do throws(FileError) {
            _ = try Tokenizer(directory: scratch.path)
            return "read"
        } catch {
            #expect(error.path.hasPrefix(scratch.path))
            return error.reason
        }
    }

    private func tokenizer(_ members: String, model: String? = nil) -> String {
        let model = model ?? #"{"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}"#
        return #"{"model": \#(model)\#(members.isEmpty ? "" : ", \(members)")}"#
    }

    @Test func theLeastTokenizerIsRead() throws {
        #expect(try reason(tokenizer("")) == "read")
    }

    @Test(arguments: [
        (#""normalizer": {"type": "Nmt"}"#, "the normalizer \"Nmt\", which is not known; known are Sequence"),
        (#""normalizer": {"type": "Replace", "pattern": {"Regex": "(a)+"}, "content": ""}"#, "repeats a group"),
        (#""normalizer": {"type": "Replace", "pattern": {"Regex": "a*"}, "content": ""}"#, "matches the empty text"),
        (#""normalizer": {"type": "Replace", "pattern": {"Regex": "\\p{Han}"}, "content": ""}"#, "property \"Han\""),
        (#""normalizer": {"type": "Replace", "pattern": {"String": ""}, "content": "x"}"#, "an empty pattern"),
        (
            #""normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}"#,
            "a damaged \"precompiled_charsmap\""
        ),
        (
            #""normalizer": {"type": "Sequence", "normalizers": ["#
                + [String](
                    repeating: #"{"type": "Replace", "pattern": {"String": "a"}, "content": "aaaaaaaaaa"}"#, count: 7
                ).joined(separator: ",") + "]}", "makes more than a million characters of one"
        ),
        (#""pre_tokenizer": {"type": "UnicodeScripts"}"#, "the pre-tokenizer \"UnicodeScripts\""),
        (
            #""pre_tokenizer": {"type": "Split", "pattern": {"String": " "}, "behavior": "Odd"}"#,
            "none of Removed, Isolated"
        ),
        (#""post_processor": {"type": "Other"}"#, "the post-processor \"Other\""),
        (
            #""post_processor": {"type": "TemplateProcessing", "single": [], "special_tokens": {}}"#,
            "a template without the text itself"
        ),
        (#""added_tokens": [{"id": 7, "content": "ab"}]"#, "the id 7, and its vocabulary gives it 2"),
        (#""added_tokens": [{"content": "ab"}]"#, "without an id and a content"),
    ])
    func unknownStepsAreNamed(members: String, expected: String) throws {
        #expect(try reason(tokenizer(members)).contains(expected))
    }

    @Test(arguments: [
        (#"{"type": "WordPiece", "vocab": {"a": 0}}"#, "of the type \"WordPiece\"; BPE and Unigram can be read"),
        (#"{"type": "BPE", "vocab": {"a": 0, "a": 1}, "merges": []}"#, "the token \"a\" twice"),
        (#"{"type": "BPE", "vocab": {"a": 99999999}, "merges": []}"#, "the id 99999999"),
        (#"{"type": "BPE", "vocab": {"a": -1}, "merges": []}"#, "a whole number of 0 or more"),
        (
            #"{"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": ["a b"]}"#,
            "the vocabulary lacks one of them or \"ab\""
        ),
        (#"{"type": "BPE", "vocab": {"a": 0}, "merges": ["a"]}"#, "two tokens and a space"),
        (#"{"type": "BPE", "vocab": {"a": 0}, "merges": [["a", "a", "a"]]}"#, "a merge of 3 tokens"),
        (#"{"type": "BPE", "vocab": {"a": 0}, "merges": [], "dropout": 0.1}"#, "drops merges at random"),
        (#"{"type": "BPE", "vocab": {"a": 0}, "merges": [], "unk_token": "?"}"#, "no token \"?\", its \"unk_token\""),
        (#"{"type": "Unigram", "vocab": [["a", 0.5]], "unk_id": 1}"#, "\"unk_id\" is no place in its vocabulary"),
        (#"{"type": "Unigram", "vocab": [["a"]], "unk_id": 0}"#, "not a token and a score"),
        (#"{"type": "BPE", "vocab": {}, "merges": []}"#, "without a \"vocab\""),
    ])
    func unknownModelsAreNamed(model: String, expected: String) throws {
        #expect(try reason(tokenizer("", model: model)).contains(expected))
    }

    @Test func whatIsNoJSONIsNamedByItsPlace() throws {
        #expect(try reason("{\"model\": ").contains("is not valid JSON at byte 10"))
        #expect(try reason("[]").contains("is not a JSON object"))
        #expect(try reason("{}").contains("has no \"model\""))
    }

    @Test func anEmptyDirectoryIsNamed() throws {
        let scratch = try ScratchDirectory()
        let error = #expect(throws: FileError.self) { try Tokenizer(directory: scratch.path) }
        #expect(error?.kind == .missing)
        #expect(error?.reason.contains("expected tokenizer.json, vocab.json and merges.txt, spiece.model") == true)
    }

    @Test func specialTokensOfTheSettingsMustExist() throws {
        let scratch = try ScratchDirectory()
        let folder = try copy(of: "clip-json", to: scratch)
        try scratch.write(#"{"pad_token": "<nothing>"}"#, to: "clip-json/tokenizer_config.json")
        let error = #expect(throws: FileError.self) { try Tokenizer(directory: folder) }
        #expect(error?.reason.contains("the special token \"<nothing>\", which the vocabulary lacks") == true)
    }
}
