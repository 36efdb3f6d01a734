import Support
import Testing

@Suite struct CSVReaderTests {
    private func records(_ text: String) throws -> [[String]] {
        var reader = CSVReader(Array(text.utf8))
        var result: [[String]] = []
        while let record = try reader.next() { result.append(record.fields) }
        return result
    }

    @Test(arguments: [
        ("a,b\nc,d\n", [["a", "b"], ["c", "d"]]),
        ("a,b\r\nc,d", [["a", "b"], ["c", "d"]]),
        ("\u{FEFF}a,b", [["a", "b"]]),
        ("a,,\n,\n", [["a", "", ""], ["", ""]]),
        ("\n\na\n\n\nb\n\n", [["a"], ["b"]]),
        ("\"a, b\",\"say \"\"hi\"\"\",\"\"\n", [["a, b", "say \"hi\"", ""]]),
        ("\"two\nlines\",x\n", [["two\nlines", "x"]]),
        ("a\rb,\u{2028}\u{85}\u{B}\r\nc\r", [["a\rb", "\u{2028}\u{85}\u{B}"], ["c\r"]]),
        (" spaces stay ,é\n", [[" spaces stay ", "é"]]),
        ("", []),
    ])
    func readsRecords(text: String, expected: [[String]]) throws {
        #expect(try records(text) == expected)
    }

    @Test func recordsKnowTheLineTheyBeginOn() throws {
        var reader = CSVReader(Array("a\n\n\"b\nb\nb\"\r\nc\n".utf8))
        var lines: [Int] = []
        while let record = try reader.next() { lines.append(record.line) }
        #expect(lines == [1, 3, 6])
    }

    @Test(arguments: [
        ("a\n\"b", 2, "a quote is never closed"),
        ("a\n\"b\"c", 2, "text follows a closing quote; expected a comma"),
        ("a\n" + String(repeating: ",", count: 10_000), 2, "it has more than 10000 fields"),
        ("a\nb\"c\"", 2, "a quote stands inside a field; quote the whole field and double it"),
    ])
    func malformedTextIsNamedByLine(text: String, line: Int, reason: String) {
        let error = #expect(throws: CSVReader.Malformed.self) { try records(text) }
        #expect(error?.line == line)
        #expect(error?.reason == reason)
    }

    @Test func bytesThatAreNotTextAreRefused() {
        var reader = CSVReader([0x61, 0x2C, 0xFF, 0x0A])
        #expect(throws: CSVReader.Malformed.self) { try reader.next() }
    }

    @Test func pathsAreBytes() throws {
        var reader = CSVReader(
            Array("a,".utf8) + [0xFF] + Array("\na,\"".utf8) + [0xFE] + Array("\"\n".utf8) + [0xFF, 0x2C])
        reader.pathColumn = 1
        #expect(try reader.next()?.fields == ["a", #"\xFF"#])
        #expect(try reader.next()?.fields == ["a", #"\xFE"#])
        #expect(throws: CSVReader.Malformed.self) { try reader.next() }
    }

    /// At the beginning of a file, it would be skipped.
    @Test func aMarkThatBeginsAFieldIsKept() throws {
        let field = "\u{FEFF}name"
        var reader = CSVReader(Array("\(CSVField.text(field)),b\n".utf8))
        let fields = try #require(try reader.next()).fields
        #expect(fields.map { Array($0.utf8) } == [Array(field.utf8), Array("b".utf8)])
    }
}
