import Foundation
import Support
import TestTools
import Testing

struct FilesTests {
    @Test func pathsAreTakenApart() {
        #expect(Files.join("", "a") == "a" && Files.join("a", "b") == "a/b" && Files.join("a/", "b") == "a/b")
        #expect(Files.directory(of: "a") == "" && Files.directory(of: "/a") == "/")
        #expect(Files.directory(of: "a//b") == "a" && Files.name(of: "a/b") == "b" && Files.name(of: "b") == "b")
        #expect(Files.withoutTrailingSlashes("a//") == "a" && Files.withoutTrailingSlashes("/") == "/")
    }

    @Test func directoriesAreListedAndRemoved() throws {
        let scratch = try ScratchDirectory()
        for name in ["b", "a", ".hidden", "inner/.c"] { try scratch.write("x", to: "d/" + name) }
        let directory = scratch.path + "/d"
        try FileManager.default.createSymbolicLink(atPath: directory + "/link", withDestinationPath: "inner")
        #expect(try Files.names(in: directory) == ["a", "b", "inner", "link"])
        #expect(try Files.names(in: directory, hidden: true) == [".hidden", "a", "b", "inner", "link"])
        let kinds = Dictionary(uniqueKeysWithValues: try Files.entries(of: directory).map { ($0.name, $0.kind) })
        #expect(kinds == ["a": .file, "b": .file, "inner": .directory, "link": .link])
        #expect(try Files.kind(of: directory + "/link") == .directory && Files.kind(of: directory + "/a") == .file)
        try Files.makeDirectory(scratch.path + "/x/y/")
        #expect(try Files.kind(of: scratch.path + "/x/y") == .directory)
        try Files.remove(directory + "/link")
        #expect(try Files.kind(of: directory + "/inner/.c") == .file)
        try Files.remove(directory)
        #expect(try Files.kind(of: directory) == .missing)
    }

    @Test func failuresAreSentences() throws {
        let missing = try #require(throws: SystemError.self) { try Files.bytes(of: "/nowhere") }
        #expect(missing.isMissing && missing.description == "No such file or directory")
        #expect(missing.clause == "no such file" && SystemError(code: EACCES).clause == "permission denied")
        #expect(
            FileError(opening: "a", expected: "a table", missing).description
                == "a: no such file or directory; expected a table")
        #expect(FileError.malformed("a", "holds \u{1B}[31m").description == "a: holds \\x1B[31m")
    }

    @Test func filesAndPipesAreReadToTheirEnds() throws {
        let scratch = try ScratchDirectory()
        let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 >> 3) }
        let path = try scratch.write(bytes, to: "file")
        #expect(try Files.bytes(of: path) == bytes)
        #expect(try InputFile(path).read(upTo: 9) == Array(bytes.prefix(9)))
        #expect(try Files.bytes(of: scratch.write("", to: "empty")).isEmpty)
        let pipe = Pipe()
        let writer = Thread {
            try? pipe.fileHandleForWriting.write(contentsOf: bytes)
            try? pipe.fileHandleForWriting.close()
        }
        let file = InputFile(descriptor: pipe.fileHandleForReading.fileDescriptor)
        let start = try file.read(upTo: 5)
        let whole = try file.readToEnd(after: start)
        #expect(start == Array(bytes.prefix(5)) && whole == bytes)
        writer?.join()
    }

    @Test func mappedFilesAreCheckedAtTheirEnds() throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write([1, 2, 3, 4, 5], to: "file")
        let bytes = try MappedFile(path, expected: "five bytes").bytes
        #expect(bytes.array == [1, 2, 3, 4, 5] && bytes.slice(3, 2)?.array == [4, 5] && bytes.slice(5, 0)?.count == 0)
        #expect(bytes.slice(4, 2) == nil && bytes.slice(-1, 1) == nil && bytes.slice(1, .max) == nil)
        #expect(bytes.integer(UInt32.self, at: 1) == 0x0504_0302 && bytes.integer(UInt32.self, at: 2) == nil)
        bytes.releasePages()
        #expect(bytes.array == [1, 2, 3, 4, 5])
        for (path, kind, words) in [
            (scratch.path + "/none", FileError.Kind.missing, "no such file or directory; expected five bytes"),
            (scratch.path, .malformed, "is not a regular file; expected five bytes"),
            (try scratch.write("", to: "empty"), .malformed, "is empty; expected five bytes"),
        ] {
            let error = try #require(throws: FileError.self) { try MappedFile(path, expected: "five bytes") }
            #expect(error == FileError(kind, path, words))
        }
    }

    @Test(arguments: [0, 1, 64, 100, 1 << 20, 3 << 20])
    func memoryIsZeroedAlignedAndKept(_ count: Int) {
        let bytes = Bytes(Memory(byteCount: count))
        #expect(Int(bitPattern: bytes.address) % 64 == 0)
        #expect(bytes.array == [UInt8](repeating: 0, count: count))
        if count > 0 { bytes.address.storeBytes(of: 7, toByteOffset: count - 1, as: UInt8.self) }
        bytes.releasePages()
        #expect(bytes.array.last ?? 7 == 7)
    }

    @Test func appendedFilesGrowWhereTheyAre() throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write("one\ntwo\nthr", to: "log")
        let file = try AppendedFile(path, of: "output")
        #expect(try file.byteCount() == 11)
        var lines = file.lines()
        #expect(try [lines.next(), lines.next(), lines.next()] == ["one", "two", nil])
        try file.truncate(to: 4)
        file.append(Array("2\n".utf8))
        #expect(try file.byteCount() == 4)
        try file.write()
        file.append(Array("3\n".utf8))
        try file.write()
        try file.synchronize()
        try file.overwriteStart(Array("ONE".utf8))
        #expect(try scratch.read("log") == Array("ONE\n2\n3\n".utf8))
        let error = try #require(throws: FileError.self) { try AppendedFile(scratch.path, of: "output") }
        #expect(error.kind == .cannotCreate && error.path == "output")
    }

    @Test func aLockIsTakenOnce() throws {
        let scratch = try ScratchDirectory()
        do {
            let lock = try FileLock.take(scratch.path)
            #expect(try lock != nil && FileLock.take(scratch.path) == nil)
            withExtendedLifetime(lock) {}
        }
        #expect(try FileLock.take(scratch.path) != nil)
        #expect(throws: SystemError.self) { try FileLock.take(scratch.path + "/none") }
    }

    @Test func aWalkFindsWhatIsWantedOnce() throws {
        let scratch = try ScratchDirectory()
        for name in ["b.txt", "a/c.txt", "a/d", "a/.e.txt", "f"] { try scratch.write(name, to: name) }
        for (link, target) in [("z", "a"), ("a/loop", ".."), ("gone.txt", "none")] {
            try FileManager.default.createSymbolicLink(
                atPath: "\(scratch.path)/\(link)", withDestinationPath: target)
        }
        let walk = DirectoryWalk(root: scratch.path + "/", named: { $0.hasSuffix(".txt") }, or: { $0.hasSuffix("/f") })
        #expect(walk.files == ["a/c.txt", "b.txt", "f"].map { scratch.path + "/" + $0 })
        #expect(walk.failures.map(\.path) == [scratch.path + "/gone.txt"])
        #expect(walk.failures.map(\.reason) == ["no such file"])
    }
}
