import Support

/// A model of SentencePiece (`spiece.model`): its tokens and how a text is normalized for them.
///
/// Source: `sentencepiece_model.proto`.
struct SentencePieceFile {
    let path: String
    private(set) var pieces = TokenTable()
    private(set) var scores: [Double] = []
    private(set) var kinds: [Kind] = []
    private(set) var normalizer = SentencePieceNormalizer()
    private var isUnigram = true
    private(set) var fallsBackToBytes = false

    enum Kind: UInt64 { case normal = 1, unknown, control, userDefined, unused, byte }

    init(_ path: String) throws(FileError) {
        self.path = path
        let content = try Files.content(of: path, expected: "a model of SentencePiece")
        try forEachField(content[...]) { (file, number, value) throws(FileError) in
            guard case .bytes(let message) = value else { return }
            switch number {
            case 1: try file.addPiece(message)
            case 2: try file.readTrainer(message)
            case 3: try file.readNormalizer(message)
            default: break
            }
        }
        guard kinds.contains(.normal) else { throw malformed("holds no tokens; a model of SentencePiece was expected") }
        guard isUnigram else { throw malformed("is no unigram model; others come with a tokenizer.json") }
        for index in kinds.indices where kinds[index] == .userDefined {
            normalizer.keep(pieces[index])
        }
    }

    private func malformed(_ reason: String) -> FileError { .malformed(path, reason) }

    private mutating func forEachField(
        _ message: ArraySlice<UInt8>,
        _ body: (inout SentencePieceFile, UInt64, ProtobufFields.Value) throws(FileError) -> Void
    ) throws(FileError) {
        var fields = ProtobufFields(message)
        while !fields.isAtEnd {
            guard let (number, value) = fields.next() else {
                throw malformed("is damaged, or no model of SentencePiece; copy it again")
            }
            try body(&self, number, value)
        }
    }

    private mutating func addPiece(_ message: ArraySlice<UInt8>) throws(FileError) {
        var piece: ArraySlice<UInt8> = []
        var score = Float(0)
        var kind = Kind.normal
        try forEachField(message) { (file, number, value) throws(FileError) in
            switch (number, value) {
            case (1, .bytes(let bytes)): piece = bytes
            case (2, .fixed32(let bits)): score = Float(bitPattern: bits)
            case (3, .integer(let number)):
                guard let known = Kind(rawValue: number) else {
                    throw file.malformed("holds a token of the kind \(number), which is not known")
                }
                kind = known
            default: break
            }
        }
        guard !piece.isEmpty, score.isFinite, String(validating: piece, as: UTF8.self) != nil,
            pieces.insert(Array(piece).span, id: Int32(truncatingIfNeeded: scores.count))
        else { throw malformed("holds a token that is empty, damaged or there twice, or too many tokens") }
        scores.append(Double(score))
        kinds.append(kind)
    }

    private mutating func readTrainer(_ message: ArraySlice<UInt8>) throws(FileError) {
        try forEachField(message) { (file, number, value) throws(FileError) in
            switch (number, value) {
            case (3, .integer(let kind)): file.isUnigram = kind == 1
            case (24, .integer(let flag)): file.normalizer.marksEnds = flag != 0
            case (35, .integer(let flag)): file.fallsBackToBytes = flag != 0
            default: break
            }
        }
    }

    private mutating func readNormalizer(_ message: ArraySlice<UInt8>) throws(FileError) {
        try forEachField(message) { (file, number, value) throws(FileError) in
            switch (number, value) {
            case (2, .bytes(let blob)):
                guard !blob.isEmpty else { break }
                guard let map = CharacterMap(Array(blob)) else {
                    throw file.malformed("has a damaged \"precompiled_charsmap\"")
                }
                file.normalizer.map = map
            case (3, .integer(let flag)): file.normalizer.addsPrefix = flag != 0
            case (4, .integer(let flag)): file.normalizer.removesExtraSpaces = flag != 0
            case (5, .integer(let flag)): file.normalizer.showsSpaces = flag != 0
            default: break
            }
        }
    }

    /// The model over these tokens.
    func unigram() throws(FileError) -> Unigram {
        let normal = kinds.indices.filter { kinds[$0] == .normal }
        let (least, greatest) = (normal.map { scores[$0] }.min() ?? 0, normal.map { scores[$0] }.max() ?? 0)
        var adjusted = scores
        for index in kinds.indices where kinds[index] == .userDefined {
            // Always chosen: SentencePiece's bonus, in its own rounding.
            adjusted[index] = Double(Float(pieces[index].count) * Float(greatest)) - 0.1
        }
        let matched = kinds.indices.filter { kinds[$0] == .normal || kinds[$0] == .userDefined }
        var model = Unigram(
            pieces, scores: adjusted, matched: matched.map { Int32($0) }, leastScore: least, .single)
        guard let unknown = kinds.firstIndex(of: .unknown) else { throw malformed("holds no unknown token") }
        model.unknown = Int32(unknown)
        if fallsBackToBytes {
            model.bytes = BytePairEncoding.byteTokens(of: pieces)
            guard model.bytes != nil else { throw malformed("spells by bytes, and lacks the token of some byte") }
        }
        return model
    }
}
