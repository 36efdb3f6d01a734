import Foundation
import Testing

import Datasets
import Support

@Suite struct InputPathsTests {
    private func paths(_ arguments: String..., under folder: TemporaryFolder) throws -> [String] {
        try InputPaths(expanding: arguments).inputs.map {
            $0.path.hasPrefix(folder.path) ? String($0.path.dropFirst(folder.path.count + 1)) : $0.path
        }
    }

    @Test func directoriesAreWalkedSortedByBytes() throws {
        let folder = try TemporaryFolder()
        for name in ["b/z.png", "b/a.jpeg", "b-c/x.PNG", "B/1.jpg", "a.png", "é.png", "b/deep/er/q.jpg"] {
            try folder.write(Head.png, to: name)
        }
        #expect(
            try paths(folder.path, under: folder)
                == ["B/1.jpg", "a.png", "b-c/x.PNG", "b/a.jpeg", "b/deep/er/q.jpg", "b/z.png", "é.png"])
        #expect(try InputPaths(expanding: [folder.path + "//"]).inputs.first?.path == folder.path + "/B/1.jpg")
    }

    @Test func hiddenAndOtherFilesAreLeftOut() throws {
        let folder = try TemporaryFolder()
        try folder.write(Head.png, to: ".hidden.png")
        try folder.write(Head.png, to: ".git/x.png")
        try folder.write("# Pictures", to: "README.md")
        try folder.write("BMW is a car maker", to: "notes")
        try folder.write("", to: "empty")
        try folder.write(Head.png, to: "seen.png")
        #expect(try paths(folder.path, under: folder) == ["seen.png"])
    }

    @Test func contentMakesAnImageAndSoDoesTheName() throws {
        let folder = try TemporaryFolder()
        try folder.write(Head.png, to: "1-png-without-name")
        try folder.write(Head.jpeg, to: "2-jpeg.dat")
        try folder.write(Head.gif, to: "3-gif")
        try folder.write(Head.webP, to: "4-webp.bin")
        try folder.write("not at all", to: "5-damaged.jpg")
        try folder.write("", to: "6-empty.png")
        try folder.write(Array("BM".utf8) + [1, 2, 3, 4, 0, 0, 0, 0, 54], to: "7-bmp")
        try folder.write([0x49, 0x49, 0x2A, 0], to: "8-tiff")
        try folder.write([0, 0, 0, 32] + Array("ftypavif".utf8), to: "9-avif")
        #expect(try paths(folder.path, under: folder).count == 9)
    }

    @Test func explicitFilesAreAlwaysInputs() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("hello", to: "README.md")
        let hidden = try folder.write(Head.png, to: ".x/y.png")
        let inputs = try InputPaths(expanding: [hidden, "-", file]).inputs
        #expect(inputs == [.file(hidden), .standardInput, .file(file)])
    }

    @Test func linksAreFollowedOnceAndLoopsEnd() throws {
        let folder = try TemporaryFolder()
        try folder.write(Head.png, to: "real/one.png")
        try folder.link("again", to: "real")
        try folder.link("real/up", to: "..")
        try folder.link("real/self", to: "self")
        try folder.link("picture", to: "real/one.png")
        let outside = try TemporaryFolder()
        try outside.write(Head.png, to: "two.png")
        try folder.link("outside", to: outside.path)
        #expect(try paths(folder.path, under: folder) == ["outside/two.png", "picture", "real/one.png"])
    }

    @Test func danglingLinksCalledImagesAreReported() throws {
        let folder = try TemporaryFolder()
        try folder.write(Head.png, to: "a.png")
        try folder.link("b.png", to: "nowhere")
        try folder.link("c", to: "nowhere")
        let inputs = try InputPaths(expanding: [folder.path]).inputs
        #expect(inputs.count == 2)
        guard case .failure(let error) = inputs.last else {
            Issue.record("expected a failure")
            return
        }
        #expect(error.description == "\(folder.path)/b.png: cannot be read: no such file")
    }

    @Test func listsGiveAPathALine() throws {
        let folder = try TemporaryFolder()
        let a = try folder.write(Head.png, to: "a.png")
        let b = try folder.write(Head.png, to: "some more/b 1.png")
        let odd = try folder.write(Head.png, to: "@odd.png")
        let list = try folder.write(
            "\u{FEFF}\(b)\r\n\r\n\(a)\n  \n\(odd)\n\(folder.path)/some more", to: "list.txt")
        #expect(try InputPaths(expanding: ["@" + list]).inputs == [.file(b), .file(a), .file(odd), .file(b)])
    }

    /// What `find -print0` writes; any other byte may be in a name.
    @Test func listsMayBeSeparatedByNULs() throws {
        let folder = try TemporaryFolder()
        let a = try folder.write(Head.png, to: "a.png")
        let b = try folder.write(Head.png, to: " two\nlines.png")
        let list = try folder.write("\(a)\0\(b)\0", to: "list0")
        #expect(try InputPaths(expanding: ["@" + list]).inputs == [.file(a), .file(b)])
        let unended = try folder.write("\(b)\0\(a)", to: "unended")
        #expect(try InputPaths(expanding: ["@" + unended]).inputs == [.file(b), .file(a)])
    }

    /// Line separators of Unicode, vertical tabs, form feeds and a CR alone belong to names.
    @Test func linesEndAtLFAndCRLFOnly() throws {
        let folder = try TemporaryFolder()
        let names = ["a\u{2028}b", "a\u{2029}b", "a\u{85}b", "a\u{B}b", "a\u{C}b", "a\rb", "\u{3000}"]
        let files = try names.map { try folder.write(Head.png, to: $0) }
        let list = try folder.write(files.joined(separator: "\n") + "\r\n", to: "list.txt")
        #expect(try InputPaths(expanding: ["@" + list]).inputs == files.map { .file($0) })
    }

    /// By its own bytes, and by what is written for it where no file has that name.
    @Test func namesThatAreNotUTF8AreFound() throws {
        let folder = try TemporaryFolder()
        defer { Files.discard(folder.path) }
        let names = [#"a\xE9.png"#, #"a\x5CxE9.png"#, #"b\xE9.png"#, #"c\xE9/\xFF.png"#]
        let files = names.map { "\(folder.path)/\($0)" }
        try Files.makeDirectory(folder.path + #"/c\xE9"#)
        for file in files { try Files.write(Head.png, to: file) }
        #expect(
            try InputPaths(expanding: [folder.path]).inputs
                == [files[1], files[0], files[2], files[3]].map { .file($0) })
        let start = Array("\(folder.path)/".utf8)
        let entries: [[UInt8]] = [
            [0x61, 0xE9] + Array(".png".utf8), Array(#"a\xE9.png"#.utf8), Array(#"b\xE9.png"#.utf8), [0x63, 0xE9],
        ]
        for end in [UInt8(ascii: "\n"), 0] {
            let list = try folder.write(entries.flatMap { start + $0 + [end] }, to: "list")
            #expect(try InputPaths(expanding: ["@" + list]).inputs == files.map { .file($0) })
        }
    }

    /// A name that begins with a combining mark makes one character of it and the slash or the @ before it.
    @Test func combiningMarksBelongToNames() throws {
        let folder = try TemporaryFolder()
        let image = folder.path + "/\u{301}x/\u{301}.png"
        try FileManager.default.createDirectory(atPath: folder.path + "/\u{301}x", withIntermediateDirectories: false)
        try #require(FileManager.default.createFile(atPath: image, contents: Data(Head.png)))
        #expect(try InputPaths(expanding: [folder.path + "/"]).inputs == [.file(image)])
        let error = #expect(throws: InputError.self) { try InputPaths(expanding: ["@\u{301}none"]) }
        #expect(error?.path.utf8.elementsEqual("\u{301}none".utf8) == true)
    }

    @Test func missingInputsAreNamed() throws {
        let folder = try TemporaryFolder()
        let missing = folder.path + "/none.png"
        let error = #expect(throws: InputError.self) { try InputPaths(expanding: [missing]) }
        #expect(error?.kind == .noSuchInput)
        #expect(
            error?.description
                == "\(missing): no such file or directory; expected an image file, a directory of images or a .tar")
        let list = #expect(throws: InputError.self) { try InputPaths(expanding: ["@" + missing]) }
        #expect(list?.kind == .noSuchInput)
        // Among others it does not end the run, but keeps its place.
        let good = try folder.write(Head.png, to: "a.png")
        let inputs = try InputPaths(expanding: [missing, good]).inputs
        #expect(inputs.map(\.path) == [missing, good])
        #expect(inputs.last == .file(good))
    }

    @Test func emptyDirectoriesAndListsAreNamed() throws {
        let folder = try TemporaryFolder()
        let directory = #expect(throws: InputError.self) { try InputPaths(expanding: [folder.path]) }
        #expect(directory?.kind == .noImages)
        #expect(
            directory?.description
                == "\(folder.path): holds no images; expected a directory with PNG or JPEG files in it or below it")
        let list = try folder.write("\n", to: "list.txt")
        let empty = #expect(throws: InputError.self) { try InputPaths(expanding: ["@" + list]) }
        #expect(empty?.kind == .noImages)
        let binary = try folder.write([0xFF, 0xFE, 0x00], to: "binary.txt")
        let bad = #expect(throws: InputError.self) { try InputPaths(expanding: ["@" + binary]) }
        #expect(bad?.kind == .noSuchInput && bad?.path == #"\xFF\xFE"#)
    }

    @Test func standardInputIsReadOnce() throws {
        let inputs = try InputPaths(expanding: ["-", "-"]).inputs
        #expect(inputs.first == .standardInput)
        guard case .failure = inputs.last else {
            Issue.record("expected the second `-` to fail")
            return
        }
    }
}
