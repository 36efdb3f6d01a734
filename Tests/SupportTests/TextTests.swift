import Foundation
import Support
import TestTools
import Testing

struct TextTests {
    @Test func numbersHaveTheirDigits() {
        #expect(
            fixed(1.005, 1) == "1.0" && fixed(-0.04, 1) == "0.0" && fixed(-2.75, 1) == "-2.8" && fixed(7.5, 0) == "8")
        #expect(fixed(0.05, 3) == "0.050" && fixed(.nan, 2) == "nan" && fixed(1e20, 2) == "1e+20")
        #expect(percent(0.12345) == "12.35 %")
    }

    @Test func textIsMadeSafe() {
        #expect(escaped("<a href=\"x\">&</a>") == "&lt;a href=&quot;x&quot;&gt;&amp;&lt;/a&gt;")
        // An accent upon a quotation mark leaves it one.
        #expect(Array(escaped("\"\u{301}<\u{338}").utf8) == Array("&quot;\u{301}&lt;\u{338}".utf8))
        #expect(printable("a\u{1B}[1m\nb\u{9B}é") == "a\\x1B[1m\\nb\\u{9B}é")
        #expect(printable("\r\n\t\0\u{7F}") == "\\r\\n\\t\\x00\\x7F")
        // Changes of direction, and other ends of lines.
        #expect(printable("a\u{202E}gpj\u{2066}\u{2028}\u{85}") == "a\\u{202E}gpj\\u{2066}\\u{2028}\\u{85}")
        // Letters, joined ones and emoji are what they are.
        for text in ["", "plain \\ text", "हिन्दी", "می\u{200C}خواهم", "👩\u{200D}🔬", "e\u{301}"] {
            #expect(printable(text).utf8.elementsEqual(text.utf8))
        }
    }

    @Test func commandsAreQuotedAsAShellReadsThem() {
        #expect(shellCommand(["vit", "embed", "a/b.png", "--lr=1e-3"]) == "vit embed a/b.png --lr=1e-3")
        #expect(shellCommand(["a b", "", "it's", "$x", "'\u{301}"]) == "'a b' '' 'it'\\''s' '$x' ''\\''\u{301}'")
    }

    @Test func ticksAreRound() {
        #expect(Ticks.values(0.12...0.88).map(Ticks.text) == ["0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8"])
        #expect(Ticks.values(0...2e-5).map(Ticks.text).last == "2e-5" && Ticks.text(-0.25) == "-0.25")
        #expect(Ticks.values(0...48).map(Ticks.text) == ["0", "10", "20", "30", "40"])
    }

    /// RFC 4648, section 10.
    @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")])
    func base64Encodes(_ text: String, _ encoded: String) { #expect(base64(Array(text.utf8)) == encoded) }

    @Test func tablesAreAligned() {
        let table = TextTable(header: ["name", "n", ""], rows: [["a\nb", "12", ""], ["long name", "3", "x"]])
        #expect(table.text == "name        n\na\\nb       12\nlong name   3  x\n")
    }

    @Test func textsAreEqualByTheirBytes() throws {
        let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
        #expect(composed == decomposed && !composed.equalsBytewise(decomposed))
        #expect(Set([composed, decomposed, composed].map(BytewiseText.init)).count == 2)
        let names = try JSON.parse(Array("{\"\(composed)\": 1, \"\(decomposed)\": 2}".utf8)).members
        #expect(names?.map { $0.value.integer } == [1, 2])
    }

    @Test func jsonHasAnEnd() throws {
        func list(_ count: Int) -> [UInt8] {
            Array("[".utf8) + Array(repeatElement([0x31, 0x2C], count: count - 2).joined()) + Array("1]".utf8)
        }
        #expect(try JSON.parse(list(2_000_000)).elements?.count == 1_999_999)
        let error = #expect(throws: JSONError.self) { try JSON.parse(list(2_000_001)) }
        #expect(error?.reason == "there are more than 2000000 values")
        let scratch = try ScratchDirectory()
        try scratch.write("1", to: "long.json")
        let path = scratch.path + "/long.json"
        // All blank behind the number, and not on the disk.
        #expect(truncate(path, 100_000_001) == 0)
        let long = #expect(throws: FileError.self) { try JSON.file(path) }
        #expect(long?.description == "\(path): is too large; expected a JSON file")
    }

    @Test func jsonKeepsOrderIntegersAndEscapes() throws {
        let text = #"{"b": [1, 2.5, -3e2, NaN], "a": {"é\n\"": null, "t": true}, "s": "\u00e9\ud83d\ude00\/"}"#
        let value = try JSON.parse(Array(text.utf8))
        #expect(value.members?.map(\.name) == ["b", "a", "s"] && value["s"]?.string == "é😀/")
        #expect(value["b"]?.elements?.prefix(3) == [.integer(1), .number(2.5), .number(-300)])
        #expect(value["a"]?["t"]?.bool == true && value["a"]?.members?.first == JSON.Member("é\n\"", .null))
        #expect(try JSON.parse(Array(value.text().utf8)).text() == value.text())
        #expect(
            JSON.object([.init("a", .array([.integer(1)])), .init("b", .array([]))]).text(compact: true)
                == #"{"a":[1],"b":[]}"#)
    }

    @Test(arguments: [
        ("", "text ends where a value"), ("[1,]", "a value was expected"), ("{\"a\" 1}", "a colon"),
        ("[1 2]", "a comma"),
        ("{\"a\":1,\"a\":2}", "stands twice"), ("\"\u{1}\"", "control character"), ("0x10", "a value was expected"),
        ("1 2", "after the end"), ("\"\\x\"", "unknown escape"), ("tru", "a value was expected"),
        ("\"\\u+123\"", "four hexadecimal digits"), ("\"\\u12", "four hexadecimal digits"),
    ])
    func otherTextIsNoJSON(_ text: String, _ words: String) throws {
        let error = try #require(throws: JSONError.self) { try JSON.parse(Array(text.utf8)) }
        #expect(error.reason.contains(words), "\(error)")
        let scratch = try ScratchDirectory()
        let path = try scratch.write(text + " ", to: "file.json")
        let fileError = try #require(throws: FileError.self) { try JSON.file(path) }
        #expect(fileError.kind == .malformed && fileError.path == path)
    }
}
