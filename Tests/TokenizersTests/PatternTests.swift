import Testing

@testable import Tokenizers

@Suite struct PatternTests {
    /// Letters and numbers of Unicode 17, which Oniguruma does not know: Beria Erfe, an ideograph, a digit of Tolong Siki.
    @Test func charactersOfLaterVersionsAreNoLetters() throws {
        let text = Text("a\u{16EA0}\u{323B0}é\u{11DE0}")
        let (known, newest) = (try Pattern(#"[\p{L}\p{N}]+"#), try Pattern(#"[\p{L}\p{N}]+"#, unicode: .max))
        #expect(known.firstMatch(in: text, text.indices, from: 0) == 0..<1)
        #expect(known.firstMatch(in: text, text.indices, from: 1) == 3..<4)
        #expect(newest.firstMatch(in: text, text.indices, from: 0) == 0..<5)
        #expect(try Pattern(#"[^\p{L}]+"#).firstMatch(in: text, text.indices, from: 0) == 1..<3)
    }

    /// A letter of Latin, an ideograph and a number of cuneiform that Unicode 18 added, and a character that is none yet.
    @Test func charactersThatSwiftMayNotKnowYet() throws {
        let text = Text("\u{1DF75}\u{3D000}\u{12550}\u{1DF82}")
        #expect(try Pattern(#"\p{L}+"#, unicode: .max).firstMatch(in: text, text.indices, from: 0) == 0..<2)
        #expect(try Pattern(#"\p{N}+"#, unicode: .max).firstMatch(in: text, text.indices, from: 0) == 2..<3)
        #expect(try Pattern(#"[\p{L}\p{N}]+"#, unicode: 17).firstMatch(in: text, text.indices, from: 0) == nil)
    }

    private func matches(_ source: String, _ text: String) throws -> [String] {
        let pattern = try Pattern(source)
        let scalars = Text(text)
        var found: [String] = []
        var position = 0
        while let match = pattern.firstMatch(in: scalars, scalars.indices, from: position) {
            found.append(Array(scalars[match]).string)
            position = match.upperBound
        }
        return found
    }

    @Test(arguments: [
        ("a|ab", "ab", ["a"]), ("ab|a", "aba", ["ab", "a"]), ("(?:a|b)c", "ac bc c", ["ac", "bc"]),
        ("(a|b)?c", "acc", ["ac", "c"]), ("[a-c]+", "abcd cab", ["abc", "cab"]), ("[^a-c]+", "abxyc", ["xy"]),
        ("[]x]", "x]", ["x", "]"]), (#"[\]\-a]+"#, "-]a", ["-]a"]), ("a{2}", "aaaaa", ["aa", "aa"]),
        ("a{2,}", "aaaaa a", ["aaaaa"]), ("ba{1,2}", "baaa", ["baa"]), (".", "a\nb", ["a", "b"]),
        (#"\s+(?!\S)|\s+"#, "a   b  ", ["  ", " ", "  "]), ("a(?=b)", "ab ac", ["a"]), ("^a|b$", "aab", ["a", "b"]),
        ("(?i)straSSe|x", "STRASSE stra\u{17F}se X", ["STRASSE", "stra\u{17F}se", "X"]), ("(?i:a)b", "Ab AB", ["Ab"]),
        (#"\p{L}+|\p{N}"#, "aé中½1२", ["aé中", "½", "1", "२"]), (#"\p{Lu}\p{^Lu}"#, "Aa", ["Aa"]),
        (#"\P{L}+"#, "a12b", ["12"]),
        (#"\w+"#, "a_1é\u{301}-b", ["a_1é\u{301}", "b"]), (#"\x41\u0042\x{43}"#, "ABC", ["ABC"]),
        (#"\d+\.\d"#, "v12.5", ["12.5"]),
        ("a+ab", "aaab", ["aaab"]), (#" ?[^\s\p{L}\p{N}]+"#, "a !! b", [" !!"]),
    ])
    func findsWhatOnigurumaFinds(source: String, text: String, expected: [String]) throws {
        #expect(try matches(source, text) == expected)
    }

    @Test(arguments: [
        "(a", "a)", "[a", "(?<=a)b", "(a)*", "a*?", "a++", "a{", "[[a]]", "[b-a]", #"\p{Greek}"#, #"\p"#, #"\q"#,
        #"a\"#,
        "*a", "a?", "", "(?=a)", "a{5,2}", "((((((((((((((((((((((a))))))))))))))))))))))",
        "(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)",
    ])
    func refusesWhatItDoesNotKnow(source: String) {
        #expect(throws: PatternError.self) { try Pattern(source) }
    }
}
