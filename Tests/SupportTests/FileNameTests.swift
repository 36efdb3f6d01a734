import Foundation
import Support
import TestTools
import Testing

/// Names that are not UTF-8, and names that look like what is written for those.
struct FileNameTests {
    /// Latin-1 for bytes, each character one of them.
    private static let names: [(name: String, text: String)] = [
        ("caf\u{C3}\u{A9}.jpg", "café.jpg"), ("caf\u{E9}.jpg", #"caf\xE9.jpg"#), (#"caf\xE9.jpg"#, #"caf\x5CxE9.jpg"#),
        (#"caf\x5CxE9.jpg"#, #"caf\x5Cx5CxE9.jpg"#), (#"a\b\x41\xe9\xE\x+a\"#, #"a\b\x41\xe9\xE\x+a\"#),
        (#"\\xFF"#, #"\\x5CxFF"#), ("\\x\u{E9}", #"\x\xE9"#),
        ("\u{C3}(\u{F0}\u{9F}\u{98}/\u{ED}\u{A0}\u{80}\u{C0}\u{AF}", #"\xC3(\xF0\x9F\x98/\xED\xA0\x80\xC0\xAF"#),
        ("\u{F0}\u{9F}\u{98}\u{80}\u{80}\u{EF}\u{BF}\u{BD}", "😀\\x80\u{FFFD}"), ("", ""),
    ]

    @Test(arguments: names)
    func everyNameHasOneText(name: String, text: String) {
        let name = name.unicodeScalars.map { UInt8($0.value) }
        #expect(Files.text(ofName: name).equalsBytewise(text))
        #expect(Files.systemPath(text).map { UInt8(bitPattern: $0) } == name + [0])
    }

    /// All names of up to five of the bytes that matter.
    @Test func noTwoNamesShareAText() {
        let bytes: [UInt8] = [0x5C, 0x78, 0x45, 0x39, 0x35, 0x43, 0xE9, 0xC3, 0xA9]
        var names: [[UInt8]] = [[]]
        var texts: Set<BytewiseText> = []
        for _ in 0..<5 {
            names = names.flatMap { name in bytes.map { name + [$0] } }
            for name in names {
                let text = Files.text(ofName: name)
                #expect(texts.insert(BytewiseText(text)).inserted)
                #expect(Files.systemPath(text).dropLast().map { UInt8(bitPattern: $0) } == name)
            }
        }
    }

    @Test func filesOfAnyNameAreMadeFoundMovedAndRemoved() throws {
        let scratch = try ScratchDirectory()
        defer { Files.discard(scratch.path) }
        let (folder, literal) = (scratch.path + #"/d\xFF"#, scratch.path + #"/d\x5CxFF"#)
        try Files.makeDirectory(folder)
        try Files.makeDirectory(literal)
        try Files.write("one", to: folder + #"/\xE9.png"#)
        try Files.write("two", to: literal + "/é.png")
        // By the system's own call: the bytes are on the disk.
        let name: [CChar] = scratch.path.utf8CString.dropLast() + [0x2F, 0x64, -1, 0x2F, -23] + ".png".utf8CString
        #expect(access(name, R_OK) == 0 && access(scratch.path + #"/d\xFF/é.png"#, R_OK) == 0)
        #expect(try Files.names(in: scratch.path) == [#"d\x5CxFF"#, #"d\xFF"#])
        let walk = DirectoryWalk(root: scratch.path, named: { $0.hasSuffix(".png") }, or: { _ in false })
        #expect(walk.files == [literal + "/é.png", folder + #"/\xE9.png"#] && walk.failures.isEmpty)
        #expect(
            try Files.resolved(folder + #"/../d\xFF/\xE9.png"#) == Files.resolved(scratch.path) + #"/d\xFF/\xE9.png"#)
        #expect(try MappedFile(walk.files[1], expected: "a word").bytes.text == "one")
        try Files.move(walk.files[1], to: literal + #"/\xE8"#)
        #expect(try Files.bytes(of: literal + #"/\xE8"#) == Array("one".utf8))
        try Files.remove(folder)
        #expect(try Files.names(in: scratch.path) == [#"d\x5CxFF"#])
        try Files.remove(literal)
        #expect(try scratch.names.isEmpty)
    }

    @Test func whatIsWrittenForANameLeadsToItWhereNoOtherFileHasThatName() throws {
        let scratch = try ScratchDirectory()
        defer { Files.discard(scratch.path) }
        for name in [#"a\xE9"#, #"a\x5CxE9"#, #"b\xE9"#] { try Files.write("x", to: "\(scratch.path)/\(name)") }
        func named(_ name: String) -> String { Files.named(Files.text(ofName: name.utf8), in: scratch.path) }
        #expect(named(#"a\xE9"#) == #"a\x5CxE9"# && named(#"a\x5CxE9"#) == #"a\x5CxE9"#)
        #expect(named(#"b\xE9"#) == #"b\xE9"# && named(#"c\xE9"#) == #"c\x5CxE9"#)
        #expect(named("\(scratch.path)/b\\xE9") == "\(scratch.path)/b\\xE9")
    }
}
