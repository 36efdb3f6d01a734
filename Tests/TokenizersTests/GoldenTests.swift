import Testing

import Tokenizers

/// Every id is the one that transformers, sentencepiece or OpenCLIP gives.
@Suite struct GoldenTests {
    @Test(arguments: fixtures)
    func tokensEqualTheReferences(name: String) throws {
        let golden = try Golden(name)
        let tokenizer = try Tokenizer(directory: fixture(name))
        #expect(golden.texts.count > 40 && golden.texts.count == golden.tokens.count)
        for (text, expected) in zip(golden.texts, golden.tokens) {
            #expect(tokenizer.tokens(of: text) == expected, "\(name): \(text.debugDescription)")
        }
    }

    @Test(arguments: fixtures)
    func listsOfOneLengthEqualTheReferences(name: String) throws {
        let golden = try Golden(name)
        let tokenizer = try Tokenizer(directory: fixture(name))
        let encoded = tokenizer.encode(golden.texts, length: golden.length)
        #expect(encoded.count == golden.encoded.count)
        for (index, expected) in golden.encoded.enumerated() {
            #expect(encoded[index] == expected, "\(name): \(golden.texts[index].debugDescription)")
        }
    }

    @Test func theFilesChooseTheConvention() throws {
        #expect(try Tokenizer(directory: fixture("clip-openai")).convention == .openCLIP)
        #expect(try Tokenizer(directory: fixture("unigram-openclip")).convention == .openCLIP)
        #expect(try Tokenizer(directory: fixture("unigram-json")).convention == .transformers)
    }

    /// One vocabulary in three forms, under OpenCLIP's rules.
    @Test(arguments: ["clip-files", "clip-json"])
    func otherFormsOfTheVocabularyServeOpenCLIP(name: String) throws {
        let golden = try Golden("clip-openai")
        let tokenizer = try Tokenizer(directory: fixture(name), convention: .openCLIP)
        #expect(tokenizer.encode(golden.texts, length: golden.length) == golden.encoded)
        #expect(tokenizer.length == 77 && tokenizer.padToken == 0)
    }

    @Test func oneFileIsReadWithTheSettingsBesideIt() throws {
        let golden = try Golden("clip-files")
        let tokenizer = try Tokenizer(contentsOf: fixture("clip-files/vocab.json"))
        #expect(tokenizer.encode(golden.texts, length: golden.length) == golden.encoded)
        let pieces = try Tokenizer(contentsOf: fixture("siglip/spiece.model"))
        #expect(try pieces.tokens(of: "a cat") == Tokenizer(directory: fixture("siglip")).tokens(of: "a cat"))
    }

    @Test func checkpointsSayTheirLength() throws {
        #expect(try Tokenizer(directory: fixture("clip-files")).length == 32)
        #expect(try Tokenizer(directory: fixture("siglip")).length == 64)
        #expect(try Tokenizer(directory: fixture("unigram-openclip")).length == 32)
    }

    @Test func tokensAreFoundByName() throws {
        let tokenizer = try Tokenizer(directory: fixture("siglip2"))
        #expect(tokenizer.id(of: "<pad>") == 0 && tokenizer.id(of: "<eos>") == 1)
        #expect(tokenizer.id(of: "no such token") == nil)
    }
}
