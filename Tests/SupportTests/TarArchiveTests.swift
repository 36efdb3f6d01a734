import Foundation
import TestTools
import Testing

@testable import Support

/// What is read of tar archives, and what is said of those that are not right.
struct TarArchiveTests {
    private let scratch: ScratchDirectory
    private static let selection = TarArchive.Selection(
        name: { $0.hasSuffix(".jpg") }, head: { $0.starts(with: "IMG".utf8) }, headCount: 3)

    init() throws { scratch = try ScratchDirectory() }

    private func open(_ bytes: [UInt8], cache: TarIndexCache? = nil, staysOpen: Bool = true) throws -> TarArchive {
        let path = try scratch.write(bytes, to: "a.tar")
        return try TarArchive(path, selecting: Self.selection, cache: cache, staysOpen: staysOpen)
    }

    private func open(_ write: (inout TarWriter) -> Void) throws -> TarArchive {
        var writer = TarWriter()
        write(&writer)
        return try open(writer.whole)
    }

    /// Names and contents, or why there is none.
    private func content(_ archive: TarArchive) throws -> [String: String] {
        var content: [String: String] = [:]
        for index in 0..<archive.index.count {
            content[archive.index.name(index)] =
                if archive.index.kind(index) == .file {
                    String(decoding: try archive.bytes(of: index), as: UTF8.self)
                } else { "(\(archive.index.kind(index)))" }
        }
        return content
    }

    private func text(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test(arguments: [true, false]) func filesAreReadByName(staysOpen: Bool) throws {
        var writer = TarWriter()
        writer.add("b/", type: "5")
        writer.add("b/two words.jpg", text("two"))
        writer.add("./a.jpg", text("one"), mark: "ustar  \u{0}")
        writer.add("old", text("three"), type: "\0", mark: "")
        writer.add("/absolute//x.jpg", text("four"))
        writer.add("device", type: "3")
        writer.add("c/./caf\u{E9}.jpg", text("five"), type: "7", prefix: "")
        writer.add("name.jpg", text("six"), prefix: "prefix/of")
        let archive = try open(writer.whole, staysOpen: staysOpen)
        #expect(archive.damage == nil)
        #expect(
            try content(archive) == [
                "a.jpg": "one", "absolute/x.jpg": "four", "b/two words.jpg": "two", "c/caf\u{E9}.jpg": "five",
                "old": "three", "prefix/of/name.jpg": "six",
            ])
        #expect(archive.index.index(of: "b/two words.jpg") == 2 && archive.index.index(of: "b") == nil)
        #expect(archive.index.range(below: "b") == 2..<3 && archive.index.range(below: "x").isEmpty)
        #expect(archive.index.content(of: "").folders == ["absolute", "b", "c", "prefix"])
        #expect(archive.index.content(of: "").files == [0, 4])
        #expect(try archive.bytes(of: 2, from: 1, upTo: 1) == text("w"))
        #expect(archive.isUnchanged)
        try scratch.write("other", to: "a.tar")
        #expect(!archive.isUnchanged)
    }

    @Test func longNames() throws {
        let long = String(repeating: "long name/", count: 30)
        let archive = try open { writer in
            writer.addLong(long + "gnu.jpg")
            writer.add("cut", text("gnu"), mark: "ustar  \u{0}")
            writer.addRecords([("mtime", "1.5"), ("path", long + "p\u{00E5}x = \n.jpg")])
            writer.add("cut", text("pax"))
            writer.add("short.jpg", text("short"))
            writer.addRecords([("path", "global.jpg")], type: "g")
            writer.add("x", text("global"))
        }
        #expect(
            try content(archive) == [
                "global.jpg": "global", long + "gnu.jpg": "gnu", long + "p\u{00E5}x = \n.jpg": "pax",
                "short.jpg": "short",
            ])
    }

    @Test func sizesInRecordsAndInBase256() throws {
        let archive = try open { writer in
            writer.add("base.jpg", text("four"), size: [0x80] + [UInt8](repeating: 0, count: 10) + [4])
            writer.addRecords([("size", "3")])
            writer.add("pax.jpg", text("abc"), size: Array("00000000000\u{0}".utf8))
            writer.add("end.jpg", text("end"))
        }
        #expect(try content(archive) == ["base.jpg": "four", "pax.jpg": "abc", "end.jpg": "end"])
        for size in [[0xFF] + [UInt8](repeating: 0xFF, count: 11), [0x80, 0x7F] + [UInt8](repeating: 0xFF, count: 10)] {
            let damaged = try open { writer in writer.add("negative.jpg", text("x"), size: size) }
            #expect(damaged.index.count == 0 && damaged.damage != nil)
        }
    }

    @Test func theLastOfOneNameStays() throws {
        let archive = try open { writer in
            writer.add("b.jpg", text("old"))
            writer.add("a.jpg", text("a"))
            writer.add("./b.jpg", text("new"))
        }
        #expect(try content(archive) == ["a.jpg": "a", "b.jpg": "new"])
    }

    @Test func linksLeadToFilesOfTheArchive() throws {
        let archive = try open { writer in
            writer.add("real/one.jpg", text("IMG one"))
            writer.add(".hidden/two.jpg", text("two"))
            writer.add("hard.jpg", type: "1", target: "./real/one.jpg")
            writer.add("real/soft", type: "2", target: "one.jpg")
            writer.add("up/soft.jpg", type: "2", target: "../real/./soft")
            writer.add("folder", type: "2", target: "real")
            writer.add("through.jpg", type: "2", target: "folder/one.jpg")
            writer.add("hidden.jpg", type: "2", target: ".hidden/two.jpg")
            writer.add("out.jpg", type: "2", target: "../etc/passwd")
            writer.add("root.jpg", type: "2", target: "/etc/passwd")
            writer.add("none.jpg", type: "1", target: "nothing.jpg")
            writer.add("circle.jpg", type: "2", target: "circle2.jpg")
            writer.add("circle2.jpg", type: "2", target: "circle.jpg")
            writer.addLong("real/one.jpg", type: "K")
            writer.add("long.jpg", type: "2", target: "cut")
        }
        let one = "IMG one"
        #expect(
            try content(archive) == [
                "real/one.jpg": one, "hard.jpg": one, "real/soft": one, "up/soft.jpg": one, "through.jpg": one,
                "hidden.jpg": "two", "long.jpg": one, "out.jpg": "(linkOut)", "root.jpg": "(linkOut)",
                "none.jpg": "(linkNowhere)", "circle.jpg": "(linkCircle)", "circle2.jpg": "(linkCircle)",
            ])
        #expect(archive.index.isWanted(try #require(archive.index.index(of: "real/soft"))))
    }

    @Test func whatCannotBeReadIsNamed() throws {
        let name = String(repeating: "n", count: 5000) + ".jpg"
        let archive = try open { writer in
            writer.add("../up.jpg", text("x"))
            writer.add("in/../../up.jpg", text("x"))
            writer.add("gnu.jpg", text("x"), type: "S", mark: "ustar  \u{0}")
            writer.addRecords([("GNU.sparse.major", "1"), ("GNU.sparse.name", "pax.jpg")])
            writer.add("GNUSparseFile.1/pax.jpg", text("x"))
            writer.add("volume.jpg", text("x"), type: "M")
            writer.addRecords([("path", name)])
            writer.add("cut", text("x"))
            writer.add("last.jpg", text("y"))
        }
        var expected = [
            "../up.jpg": "(leadsOut)", "in/../../up.jpg": "(leadsOut)", "gnu.jpg": "(sparse)", "pax.jpg": "(sparse)",
            "volume.jpg": "(other)", "last.jpg": "y",
        ]
        expected[String(repeating: "n", count: 255)] = "(nameIsTooLong)"
        #expect(try content(archive) == expected)
        #expect(archive.index.kind(0).reason?.contains("leads out of the archive") == true)
    }

    /// Old GNU sparse files have more blocks of their map before the data.
    @Test func theMapOfASparseFileIsSkipped() throws {
        var writer = TarWriter()
        writer.add("sparse.jpg", text("data"), type: "S", mark: "ustar  \u{0}")
        var bytes = writer.bytes
        bytes[482] = 1
        let sum = bytes[..<512].enumerated().reduce(0) { $0 + ((148..<156).contains($1.offset) ? 32 : Int($1.element)) }
        let digits = String(sum, radix: 8)
        let checksum = String(repeating: "0", count: 6 - digits.count) + digits
        bytes.replaceSubrange(148..<156, with: Array("\(checksum)\u{0} ".utf8))
        var map = [UInt8](repeating: 0, count: 1024)
        map[504] = 1
        bytes.insert(contentsOf: map, at: 512)
        var rest = TarWriter()
        rest.add("last.jpg", text("last"))
        #expect(try content(try open(bytes + rest.whole)) == ["sparse.jpg": "(sparse)", "last.jpg": "last"])
    }

    @Test func damageIsNamedWithItsPlace() throws {
        var writer = TarWriter()
        writer.add("one.jpg", text("one"))
        writer.add("two.jpg", [UInt8](repeating: 7, count: 700))
        let whole = writer.whole
        func damage(_ bytes: [UInt8]) throws -> String? { try open(bytes).damage?.reason }
        #expect(try damage(whole) == nil && damage(Array(whole.prefix(2560 + 512))) == nil)
        #expect(
            try damage(Array(whole.prefix(1900)))
                == "ends at byte 1900 within \"two.jpg\", which begins at byte 1536 and has 700 bytes; it was cut off: copy "
                + "or download it again")
        #expect(
            try damage(Array(whole.prefix(1300)))?.hasPrefix("ends at byte 1300 within a header, behind \"one.jpg\",")
                == true)
        #expect(
            try damage(writer.bytes)?.hasPrefix("ends at byte 2560, behind \"two.jpg\", without the empty block")
                == true)
        var broken = whole
        broken[1024] ^= 1
        #expect(
            try damage(broken) == "is damaged: there is no header of tar at byte 1024, behind \"one.jpg\",")
        #expect(try open(broken).index.count == 1)
        var huge = TarWriter()
        huge.add("x", [], type: "x", size: Array("00077777777 ".utf8))
        #expect(try damage(huge.whole)?.contains("larger than any needs to be") == true)
        var malformed = TarWriter()
        malformed.add("x", text("99 path=a\n"), type: "x")
        #expect(try damage(malformed.whole)?.contains("the extended header is malformed") == true)
    }

    @Test func archivesAreToldByTheirContent() throws {
        var writer = TarWriter()
        writer.add("v7", text("x"), mark: "")
        #expect(TarArchive.begins(writer.bytes))
        #expect(!TarArchive.begins([UInt8](repeating: 0, count: 512)) && !TarArchive.begins(text("path,label\n")))
        #expect(!TarArchive.begins([UInt8](repeating: 32, count: 512)))
    }

    @Test func theIndexIsKeptAndMadeAnew() throws {
        var writer = TarWriter()
        for number in 0..<1200 { writer.add("f/\(number).jpg", text("\(number)")) }
        let cache = TarIndexCache(directory: scratch.path + "/cache/archives")
        let first = try open(writer.whole, cache: cache)
        let kept = try #require(
            try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/cache/archives").first)
        let path = "cache/archives/\(kept)"
        let bytes = try scratch.read(path)
        let again = try TarArchive(first.path, selecting: Self.selection, cache: cache)
        #expect(try content(again) == content(first) && again.index.count == 1200)
        // It is read: another choice of files is none of the kept one.
        let none = TarArchive.Selection(name: { _ in false }, head: { _ in false }, headCount: 0)
        #expect(try TarArchive(first.path, selecting: none, cache: cache).index.isWanted(0))
        // Whatever is wrong with it.
        for damaged in [Array(bytes.dropLast()), [], Array(bytes.dropFirst(3)), bytes + [0]] {
            try scratch.write(damaged, to: path)
            #expect(try !TarArchive(first.path, selecting: none, cache: cache).index.isWanted(0))
            #expect(try scratch.read(path).count == bytes.count)
        }
        for place in [30, 60, 100, bytes.count / 2, bytes.count - 1] {
            var damaged = bytes
            damaged[place] ^= 4
            try scratch.write(damaged, to: path)
            #expect(try content(TarArchive(first.path, selecting: Self.selection, cache: cache)) == content(first))
        }
        // The archive has changed.
        writer.add("g.jpg", text("new"))
        #expect(try open(writer.whole, cache: cache).index.count == 1201)
        // Where it cannot be kept, nothing is said.
        try scratch.write("a file", to: "file")
        #expect(try open(writer.whole, cache: TarIndexCache(directory: scratch.path + "/file/x")).index.count == 1201)
    }

    @Test func theCacheIsTheUsersOwn() {
        let cache = TarIndexCache.ofUser { ["XDG_CACHE_HOME": "relative", "HOME": "/home/me"][$0] }
        #expect(cache?.directory == "/home/me/.cache/swift-vit/archives")
        #expect(TarIndexCache.ofUser { ["XDG_CACHE_HOME": "/c"][$0] }?.directory == "/c/swift-vit/archives")
    }

    /// Any byte may be wrong.
    @Test func nothingTraps() throws {
        var writer = TarWriter()
        writer.addRecords([("path", "pax.jpg"), ("size", "2")])
        writer.add("one", text("on"))
        writer.addLong("two.jpg")
        writer.add("t", text("two"), mark: "ustar  \u{0}")
        writer.add("link.jpg", type: "2", target: "two.jpg")
        let whole = writer.whole
        for place in stride(from: 0, to: writer.bytes.count, by: 23) {
            for value in [0, 0x31, 0x80, 0xFF] as [UInt8] {
                var bytes = whole
                bytes[place] = value
                _ = try content(try open(bytes))
            }
        }
    }

    @Test(arguments: ["ustar", "gnu", "pax", "v7"]) func theSystemsTar(format: String) throws {
        let long = "folder with spaces/" + (format == "v7" ? "" : String(repeating: "x", count: 90) + "/") + "1.jpg"
        try scratch.write("one", to: "data/\(long)")
        try scratch.write("two", to: "data/b/2.jpg")
        try FileManager.default.linkItem(atPath: scratch.path + "/data/b/2.jpg", toPath: scratch.path + "/data/b/3.jpg")
        try FileManager.default.createSymbolicLink(
            atPath: scratch.path + "/data/4.jpg", withDestinationPath: "b/2.jpg")
        guard TarWriter.pack(["--format=\(format)", "-cf", "s.tar", "-C", "data", "."], in: scratch.path) else {
            return
        }
        let archive = try TarArchive(scratch.path + "/s.tar", selecting: Self.selection, cache: nil)
        #expect(archive.damage == nil)
        #expect(try content(archive) == [long: "one", "b/2.jpg": "two", "b/3.jpg": "two", "4.jpg": "two"])
    }
}
