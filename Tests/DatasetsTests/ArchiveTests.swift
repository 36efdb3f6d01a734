import Foundation
import Imaging
import TestTools
import Testing

@testable import Datasets

/// Archives where folders of images may stand.
struct ArchiveTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func archive(_ name: String, _ files: String..., damaged: Bool = false) throws {
        var writer = TarWriter()
        for file in files { writer.add(file, Head.png) }
        try folder.write(damaged ? writer.bytes : writer.whole, to: name)
    }

    private func path(_ name: String) -> String { "\(folder.path)/\(name)" }

    private func paths(_ arguments: String...) throws -> [String] {
        try InputPaths(expanding: arguments.map(path)).inputs.map {
            String($0.path.dropFirst(folder.path.count + 1))
        }
    }

    private func set(_ name: String, labels: Bool = true, _ change: (inout ImageDataset.Options) -> Void = { _ in })
        throws -> ImageDataset
    {
        var options = ImageDataset.Options()
        options.requiresLabels = labels
        change(&options)
        return try ImageDataset(at: path(name), options: options)
    }

    private func described(_ set: ImageDataset) -> [String] {
        set.training.map { "\($0.path)=\($0.label.map { set.classes[$0] } ?? "nil")" }
    }

    private func reason(_ name: String) -> String? {
        let error = #expect(throws: InputError.self) { try ImageDataset(at: path(name)) }
        return error.map { String($0.description.replacing(folder.path + "/", with: "")) }
    }

    // MARK: Inputs

    @Test func anArchiveStandsForItsImages() throws {
        var writer = TarWriter()
        for name in ["b/2.jpg", "a 1.png", "README.md", ".hidden.png", "b/.h/x.png", "b/photo", "c.jpeg"] {
            writer.add(name, name == "README.md" ? [1, 2, 3] : Head.png)
        }
        // By its content, whatever its name.
        try folder.write(writer.whole, to: "photos.bin")
        #expect(
            try paths("photos.bin") == [
                "photos.bin/a 1.png", "photos.bin/b/2.jpg", "photos.bin/b/photo", "photos.bin/c.jpeg",
            ])
        #expect(try paths("photos.bin/b") == ["photos.bin/b/2.jpg", "photos.bin/b/photo"])
        #expect(
            try paths("photos.bin/c.jpeg", "photos.bin/README.md") == ["photos.bin/c.jpeg", "photos.bin/README.md"])
        let inputs = try InputPaths(expanding: [path("photos.bin/none.png"), path("photos.bin/c.jpeg")]).inputs
        #expect(inputs[0] != inputs[1])
        guard case .failure(let error) = inputs[0] else { return #expect(Bool(false)) }
        #expect(error.kind == .noSuchInput && error.reason.hasSuffix("photos.bin holds no such file or folder"))
        #expect(try inputs[1].bytes() == Head.png)
    }

    @Test func severalArchives() throws {
        try archive("s/x-08.tar", "1.png")
        try archive("s/x-09.tar", "2.png")
        try archive("s/x-10.tar", "3.png")
        let all = ["s/x-08.tar/1.png", "s/x-09.tar/2.png", "s/x-10.tar/3.png"]
        #expect(try paths("s/x-{08..10}.tar") == all)
        #expect(try paths("s") == all)
        try folder.write("\(folder.path)/s/x-09.tar\n\(folder.path)/s/x-08.tar\n", to: "list.txt")
        let list = try InputPaths(expanding: ["@" + path("list.txt")]).inputs
        #expect(list.map(\.path) == [path("s/x-09.tar/2.png"), path("s/x-08.tar/1.png")])
        // Beside images, archives are other files, as they were.
        try folder.write(Head.png, to: "s/0.png")
        #expect(try paths("s") == ["s/0.png"])
    }

    @Test func rangesOfNumbers() {
        #expect(NumberRanges.expanded("a{8..11}.tar") == ["a8.tar", "a9.tar", "a10.tar", "a11.tar"])
        #expect(NumberRanges.expanded("{01..2}/{1..0}") == ["01/1", "01/0", "02/1", "02/0"])
        for path in ["a.tar", "{a..b}", "{1..}", "{1.2}", "{1..2", "{0..100000}", "{0..999}{0..999}"] {
            #expect(NumberRanges.expanded(path) == nil)
        }
        #expect(NumberRanges.expanded("{x}{3..3}{") == ["{x}3{"])
    }

    @Test func whatCannotBeReadIsNamedInItsPlace() throws {
        var writer = TarWriter()
        writer.add("a.png", Head.png)
        writer.add("b.png", Head.png, type: "S", mark: "ustar  \u{0}")
        writer.add("c.png", type: "2", target: "../../etc/passwd")
        writer.add("d.png", Head.png)
        try folder.write(writer.bytes, to: "bad.tar")
        let inputs = try InputPaths(expanding: [path("bad.tar")]).inputs
        #expect(inputs.count == 5)
        let errors = inputs.compactMap { if case .failure(let error) = $0 { error.reason } else { nil } }
        #expect(errors.count == 3)
        #expect(errors[0] == "cannot be read: it is a sparse member of the archive; make the archive without --sparse")
        #expect(errors[1].contains("a link that leads out of the archive"))
        #expect(errors[2].contains("it was cut off"))
    }

    @Test func compressedArchivesAreRefused() throws {
        try folder.write([0x1F, 0x8B, 8, 0], to: "a.tar.gz")
        let error = #expect(throws: InputError.self) { try InputPaths(expanding: [path("a.tar.gz")]) }
        #expect(
            error?.reason
                == "is compressed (gzip) and cannot be read in place; expected a .tar: unpack it to one, or to a folder"
        )
        #expect(error?.kind == .malformed && reason("a.tar.gz") == error.map { "a.tar.gz: \($0.reason)" })
        #expect(reason("")?.contains("a.tar.gz: is compressed (gzip)") == true)
        var writer = TarWriter()
        writer.add("x.txt", [1])
        try folder.write(writer.whole, to: "none.tar")
        let none = #expect(throws: InputError.self) { try InputPaths(expanding: [path("none.tar")]) }
        #expect(none?.kind == .noImages)
    }

    // MARK: Data sets

    /// Packed with its folder or without, it is the same set.
    @Test(arguments: ["", "./", "photos/", "home/me/photos/"]) func theSameSetAsTheFolder(start: String) throws {
        let names = ["a/1.png", "a/x/2.png", "a-c/3.png", "b/4.png", "b/5.png", "b/6.png", "a/7.png", "a-c/8.png"]
        var writer = TarWriter()
        for name in names.reversed() {
            try folder.write(Head.png, to: "disk/\(name)")
            writer.add(start + name, Head.png)
        }
        try folder.write(writer.whole, to: "set.tar")
        for labels in [true, false] {
            let disk = try set("disk", labels: labels) { $0.validationFraction = 0.3 }
            let packed = try set("set.tar", labels: labels) { $0.validationFraction = 0.3 }
            #expect(packed.training == disk.training && packed.validation == disk.validation)
            #expect(packed.classes == disk.classes && packed.notes == disk.notes && !packed.training.isEmpty)
            let inside = start.hasPrefix(".") ? "" : start
            #expect(packed.file(of: packed.training[0]) == path("set.tar/\(inside)\(packed.training[0].path)"))
            #expect(try packed.imageBytes(of: packed.training[0]) == Head.png)
            let (one, other) = (try DataFingerprint(of: disk), try DataFingerprint(of: packed))
            #expect(one.content == other.content && one.bytes == other.bytes && one.images == other.images)
        }
    }

    @Test func aChangedArchiveIsNoticed() throws {
        try archive("set.tar", "a/1.png", "b/2.png")
        let before = try DataFingerprint(of: set("set.tar"))
        #expect(try DataFingerprint(of: set("set.tar")) == before)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: path("set.tar"))
        #expect(
            try DataFingerprint(of: set("set.tar")).change(since: before)
                == "has files that were changed since the run began")
        try archive("set.tar", "a/1.png", "b/2.png", "b/3.png")
        #expect(try DataFingerprint(of: set("set.tar")).change(since: before)?.hasPrefix("has 3 images, 2") == true)
    }

    @Test func partsOfASet() throws {
        try archive("one.tar", "s/train/a/1.png", "s/train/b/2.png", "s/val/a/3.png", "s/val/b/4.png")
        let one = try set("one.tar")
        #expect(described(one) == ["train/a/1.png=a", "train/b/2.png=b"] && one.validation.count == 2)
        try archive("d/train-000.tar", "a/1.png")
        try archive("d/train-001.tar", "b/1.png")
        try archive("d/val-000.tar", "a/3.png", "b/4.png")
        let shards = try set("d")
        #expect(described(shards) == ["train-000.tar/a/1.png=a", "train-001.tar/b/1.png=b"])
        #expect(shards.validation.map(\.path) == ["val-000.tar/a/3.png", "val-000.tar/b/4.png"])
        #expect(try shards.imageBytes(of: shards.validation[1]) == Head.png)
        try archive("e/train/x.tar", "a/1.png", "b/1.png")
        try archive("e/test/y.tar", "a/1.png")
        let folders = try set("e")
        #expect(described(folders) == ["train/x.tar/a/1.png=a", "train/x.tar/b/1.png=b"] && folders.test.count == 1)
        let inner = try set("one.tar/s/train")
        #expect(described(inner) == ["a/1.png=a", "b/2.png=b"])
    }

    @Test func shardsOfAFolder() throws {
        try archive("s-0.tar", "set/a/1.png", "set/b/1.png")
        try archive("s-1.tar", "set/a/1.png", "set/c/2.png")
        let expected = [
            "s-0.tar/set/a/1.png=a", "s-0.tar/set/b/1.png=b", "s-1.tar/set/a/1.png=a", "s-1.tar/set/c/2.png=c",
        ]
        let ranged = try set("s-{0..1}.tar")
        #expect(described(ranged) == expected && ranged.root == folder.path)
        try folder.write(path("s-{0..1}.tar"), to: "list")
        let listed = try ImageDataset(at: "@" + path("list"))
        #expect(described(listed) == expected)
        #expect(reason("s-{1..2}.tar")?.contains("s-2.tar: no such file") == true)
    }

    @Test func aSetOfADamagedArchiveIsRefused() throws {
        try archive("cut.tar", "a/1.png", "b/2.png", damaged: true)
        #expect(reason("cut.tar")?.hasPrefix("cut.tar: ends at byte 2048, behind \"b/2.png\", without") == true)
    }

    private func webDataset(_ files: [(String, String)], to name: String = "w.tar") throws {
        var writer = TarWriter()
        for (key, label) in files {
            writer.add("\(key).jpg", Head.jpeg)
            if label.hasPrefix("{") { writer.add("\(key).json", Array(label.utf8)) }
            if !label.hasPrefix("{"), label != "-" { writer.add("\(key).cls", Array(label.utf8)) }
        }
        try folder.write(writer.whole, to: name)
    }

    @Test func labelsBesideImages() throws {
        try webDataset([("0001", "10\n"), ("0002", "2"), ("x/0003", "02")])
        let numbered = try set("w.tar")
        #expect(
            described(numbered) == ["0001.jpg=10", "0002.jpg=2", "x/0003.jpg=2"] && numbered.classes == ["2", "10"])
        try webDataset([("0001", "{\"label\": \"cat\"}"), ("0002.x", "{\"cls\": 7}"), ("0003", "{\"label\": \"cat\"}")])
        // The key ends at the first dot.
        #expect(throws: InputError.self) { try set("w.tar") }
        try webDataset([("0001", "{\"label\": \"cat\"}"), ("0002", "{\"cls\": 7}"), ("0003", "{\"label\": \"cat\"}")])
        #expect(try set("w.tar").classes == ["7", "cat"])
        // Several, and their parts.
        try webDataset([("1", "0"), ("2", "1")], to: "p/train-0.tar")
        try webDataset([("1", "1")], to: "p/val-0.tar")
        let parts = try set("p")
        #expect(described(parts) == ["train-0.tar/1.jpg=0", "train-0.tar/2.jpg=1"] && parts.validation.count == 1)
        #expect(try set("p", labels: false).training.count == 2)
        // A model's classes in their order.
        let named = try set("p") { $0.classes = ["cat", "dog"] }
        #expect(named.training.map(\.label) == [0, 1] && named.validation.map(\.label) == [1])
    }

    @Test func missingLabelsAreNamed() throws {
        try webDataset([("1", "0"), ("2", "-")])
        #expect(
            reason("w.tar") == "w.tar/2.jpg: has no label beside it, and other images have; expected 2.cls or .json")
        try webDataset([("1", "0"), ("2", "\n")])
        #expect(reason("w.tar") == "w.tar/2.cls: states no label; expected a number or a word")
        try webDataset([("a/1", "{\"caption\": \"x\"}"), ("b/2", "-")])
        #expect(try set("w.tar").classes == ["a", "b"])
    }

    @Test func tables() throws {
        var writer = TarWriter()
        writer.add("s/1.png", Head.png)
        writer.add("s/2.png", Head.png)
        writer.add("s/metadata.csv", Array("file_name,label\n1.png,x\n2.png,y\n".utf8))
        try folder.write(writer.whole, to: "m.tar")
        #expect(described(try set("m.tar")) == ["1.png=x", "2.png=y"])
        try folder.write("path,label\nm.tar/s/1.png,x\nm.tar/s/2.png,y\n", to: "table.csv")
        let table = try set("table.csv")
        #expect(described(table) == ["m.tar/s/1.png=x", "m.tar/s/2.png=y"])
        #expect(try table.imageBytes(of: table.training[1]) == Head.png)
        writer.add("s/metadata.csv", Array("file_name,label\n/etc/passwd,x\n2.png,y\n".utf8))
        try folder.write(writer.whole, to: "m.tar")
        #expect(reason("m.tar")?.contains("line 2: /etc/passwd lies outside of the archive") == true)
    }

}
