import Testing

@testable import Tokenizers

@Suite struct TextTests {
    /// The digits divided by a power of ten, which is not always the number that is nearest to the text.
    @Test(arguments: [
        (-7.2447967529296875, -0x1.cfaac00000001p+2), (-7.2518086433410645, -0x1.d01da1fffffffp+2), (-3.5, -3.5),
        (0, 0),
        (1e-300, 1e-300),
    ])
    func scoresAreThoseOfTokenizers(score: Double, expected: Double) {
        #expect(asReadByTokenizers(score) == expected)
    }

    @Test(arguments: [
        ("e\u{301}", "é"), ("\u{1EA5}\u{323}", "\u{1EAD}\u{301}"), ("\u{1100}\u{1161}\u{11A8}", "각"),
        ("\u{AC00}\u{11A8}", "각"),
        ("\u{212B}", "Å"), ("\u{958}", "\u{915}\u{93C}"), ("q\u{307}\u{323}", "q\u{323}\u{307}"),
        ("a\u{301}\u{301}", "á\u{301}"),
        ("\u{344}", "\u{308}\u{301}"), ("\u{FB01}½", "\u{FB01}½"), ("a\u{328}\u{301}", "\u{105}\u{301}"),
    ])
    func composedForm(text: String, expected: String) {
        #expect(Normalization.normalize(Text(text), .composed) == Text(expected))
    }

    @Test(arguments: [
        ("\u{FB01}½", "fi1\u{2044}2"), ("Ａ\u{3000}ｶﾞ", "A ガ"), ("\u{FDFA}", "صلى الله عليه وسلم"), ("ẛ\u{323}", "ṩ"),
    ])
    func compatibleForm(text: String, expected: String) {
        #expect(Normalization.normalize(Text(text), .compatibleComposed) == Text(expected))
    }

    @Test func decomposedForm() {
        #expect(Normalization.normalize(Text("ậ각"), .decomposed) == Text("a\u{323}\u{302}\u{1100}\u{1161}\u{11A8}"))
        #expect(Normalization.normalize(Text("ﬁ"), .compatibleDecomposed) == Text("fi"))
    }

    @Test(arguments: [
        ("ΑΣ", "ας"), ("ΑΣΑ", "ασα"), ("Σ", "σ"), ("ΑΣ.", "ας."), ("Α.ΣΑ", "α.σα"), ("İI", "i\u{307}i"), ("ẞ", "ß"),
    ])
    func pythonsLowerCase(text: String, expected: String) {
        #expect(Text(text).pythonLowercased == Text(expected))
    }

    @Test func rustsLowerCaseKnowsNoFinalSigma() {
        #expect(Text("ΑΣ").lowercased == Text("ασ"))
    }

    /// As Python's `html.unescape` has them.
    @Test(arguments: [
        ("&amp;amp;", "&amp;"), ("&notit;", "¬it;"), ("&notin;", "∉"), ("&#x92;&#146;", "’’"),
        ("&#0;&#xD800;&#1114112;", "���"),
        ("&#1;&#xFFFE;", ""), ("&#13;", "\r"), ("&", "&"), ("&;&#;&#x;", "&;&#;&#x;"), ("&copy2024", "©2024"),
        ("&EACUTE;", "&EACUTE;"),
        ("&NotEqualTilde;", "≂̸"), ("&#99999999999999999999;", "�"), ("&ltx &gt", "<x >"),
    ])
    func characterReferences(text: String, expected: String) {
        #expect(HTMLEntities.unescape(Text(text)) == Text(expected))
    }

    /// As `ftfy.fix_text` has them.
    @Test(arguments: [
        ("“a” ‘b’ ʼ", "\"a\" 'b' '"), ("ﬁﬃﬅŉǅ", "fiffiſt'nDž"), ("ＡＢ　ｶﾞ", "AB ガ"), ("a\r\nb\rc\u{2028}d", "a\nb\nc\nd"),
        ("\u{1B}[1;31mred\u{1B}[0m", "red"), ("a\u{0}\u{7}\u{FEFF}\u{FFFC}b", "ab"), ("a\u{96}b\u{85}", "a–b…"),
        ("e\u{301}", "é"),
        ("&lt;b&gt; &amp;amp;", "<b> &"), ("<b> &amp;", "<b> &amp;"),
        ("P&EACUTE;REZ &SZLIG; &nTILDE;", "PÉREZ SS &nTILDE;"),
        ("voilÃ\u{A0} dÃ©jÃ\u{A0} vu", "voilà déjà vu"), ("naïve café", "naïve café"),
        ("â€œquotedâ€\u{9D}", "\"quoted\""),
    ])
    func repairs(text: String, expected: String) {
        #expect(TextRepair.repair(Text(text)) == Text(expected))
    }

    @Test func base64() {
        #expect(decodeBase64("aGVs\nbG8=") == Array("hello".utf8) && decodeBase64("aGU=") == Array("he".utf8))
        for damaged in ["a", "aGU", "a===", "aG=U", "!aaa"] { #expect(decodeBase64(damaged) == nil) }
    }
}
