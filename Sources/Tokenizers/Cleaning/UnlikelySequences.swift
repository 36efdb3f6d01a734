/// Sequences of characters that hardly occur but where text was decoded in a wrong encoding.
///
/// These are the facts that `ftfy` collected over the years: which classes of characters do not follow each other, and
/// what UTF-8 most often looks like in other encodings.
///
/// Source: R. Speer, ftfy 6.3 (Apache 2.0), https://ftfy.readthedocs.io/en/latest/heuristic.html.
struct UnlikelySequence: Sendable {
    /// The characters that one place of a sequence accepts.
    struct Place: Sendable {
        private let classes: CharacterClasses
        private let characters: Set<Unicode.Scalar>

        init(_ classes: CharacterClasses = [], _ characters: String = "") {
            self.classes = classes
            self.characters = Set(characters.unicodeScalars)
        }

        func accepts(_ scalar: Unicode.Scalar, _ classes: CharacterClasses) -> Bool {
            !self.classes.isDisjoint(with: classes) || !characters.isEmpty && characters.contains(scalar)
        }
    }

    let places: [Place]

    private init(_ places: Place...) { self.places = places }

    static let all = ofTwoClasses + ofThreeClasses + ofWindows1252 + ofOtherEncodings

    // MARK: Classes

    private static let accented: CharacterClasses = [.accentedSmall, .accentedCapital]
    private static let marked: CharacterClasses = [accented, .opening, .closing, .currency, .numeric, .law, .box]

    private static let ofTwoClasses: [UnlikelySequence] = {
        let pairs: [(CharacterClasses, CharacterClasses)] = [
            (marked.union(.bad), .bad),
            (.bad, marked),
            ([.accentedSmall, .plainSmall, .box, .closing, .currency, .numeric], .accentedCapital),
            ([.box, .closing, .currency, .numeric], .accentedSmall),
            ([.accentedSmall, .box, .closing], .currency),
            ([.accentedCapital, .box], [.numeric, .law]),
            ([.currency, .numeric, .box], .opening),
            (.box, [.face, .closing]),
            (marked.subtracting(.box), .box),
        ]
        return pairs.map { UnlikelySequence(Place($0), Place($1)) }
    }()

    private static let ofThreeClasses: [UnlikelySequence] = {
        let triples: [(CharacterClasses, CharacterClasses, CharacterClasses)] = [
            ([.asciiCapital, .asciiSmall], [.plainSmall, .plainCapital], .bad),
            (.space, .accentedCapital, .currency),
            ([accented, .box, .currency, .closing], .opening, .numeric),
            ([accented, .currency, .numeric, .box, .law], .closing, .opening),
            (.asciiSmall, .accentedCapital, [.opening, .currency]),
            (accented, [.opening, .closing], .word),
        ]
        return triples.map { UnlikelySequence(Place($0), Place($1), Place($2)) }
    }()

    // MARK: Characters

    private static let ofWindows1252: [UnlikelySequence] = {
        let arabic = Place([], "ØÙ")
        let behindArabic = Place([.common, .currency, .bad, .numeric, .opening], "ŸŠ®°\u{B5}»")
        let small = Place(.asciiSmall)
        let a = Place([], "ÃÂ")
        let space = Place([], " ")
        return [
            UnlikelySequence(Place(.control)),
            UnlikelySequence(Place([], "Œœ"), Place(.notASCIILetter)),
            UnlikelySequence(Place(.accentedCapital), Place([], "°")),
            UnlikelySequence(Place([], "ÂÃÎÐ"), Place([.opening, .closing], "€œŠš¢£Ÿž\u{A0}\u{AD}®©°·»–—\u{B4}")),
            UnlikelySequence(Place([], "×"), Place([], "²³")),
            // Single pairs are common in Arabic's neighbours, two in a row are not.
            UnlikelySequence(arabic, behindArabic, arabic, behindArabic),
            // Scripts of South Asia.
            UnlikelySequence(Place([], "à"), Place([], "²\u{B5}¹¼½¾")),
            UnlikelySequence(Place([], "Ã"), Place([], "\u{A0}¡")),
            UnlikelySequence(small, a, space),
            UnlikelySequence(small, Place(.space), a, space),
            UnlikelySequence(
                Place([.asciiSmall, .closing], ".,?!"), Place([], "Â"), Place([.opening, .closing], " ")),
        ]
    }()

    private static let ofOtherEncodings: [UnlikelySequence] = {
        let cyrillic = Place([], "ВГРС")
        let greek = Place([], "ΒΓΞΟ")
        let between: CharacterClasses = [.control, .bad, .opening, .closing, .currency]
        return [
            // Mac OS Roman.
            UnlikelySequence(Place([], "√"), Place([], "±∂†≠®™\u{B4}≤≥¥\u{B5}ø")),
            UnlikelySequence(Place([], "≈"), Place([], "°¢")),
            UnlikelySequence(Place([], "‚"), Place([], "Ä"), Place([], "ìîïòôúùû†°¢π")),
            UnlikelySequence(Place([], "‚"), Place([], "âó"), Place([], "àä°ê")),
            // Windows-1251: punctuation; Cyrillic; and what was decoded twice, with a Latin letter close by.
            UnlikelySequence(Place([], "в"), Place([], "Ђ")),
            UnlikelySequence(cyrillic, Place(between, "°\u{B5}"), cyrillic),
            UnlikelySequence(
                Place([], "Г"), Place([], "ў"), Place([], "В"), Place([], "Ђ"), Place([], "В"),
                Place(.notLineFeed), Place([.asciiCapital, .asciiSmall], " ")),
            // Windows-1253: punctuation and Greek.
            UnlikelySequence(Place([], "β"), Place([], "€"), Place([], "™\u{A0}\u{386}\u{AD}®°")),
            UnlikelySequence(greek, Place(between, "°"), greek),
            // Windows-1257: punctuation.
            UnlikelySequence(Place([], "ā"), Place([], "€")),
        ]
    }()
}

extension Array where Element == Unicode.Scalar {
    /// Whether the text looks as if some of it had been decoded in a wrong encoding.
    var looksWronglyDecoded: Bool {
        guard contains(where: { $0.value >= 0x80 && !CharacterClasses.of($0).isEmpty }) else { return false }
        // At the very start, this is enough.
        if count >= 2, self[0] == "Ã" || self[0] == "Â", self[1] == " " { return true }
        let classes = map(CharacterClasses.all)
        for start in indices {
            // All sequences have a character beyond ASCII among their first three.
            guard self[start..<Swift.min(start + 3, count)].contains(where: { $0.value >= 0x80 }) else { continue }
            for sequence in UnlikelySequence.all where start + sequence.places.count <= count {
                let isThere = sequence.places.indices.allSatisfy { offset in
                    sequence.places[offset].accepts(self[start + offset], classes[start + offset])
                }
                if isThere { return true }
            }
        }
        return false
    }
}
