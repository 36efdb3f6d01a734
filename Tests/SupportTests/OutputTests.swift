import Foundation
import Support
import TestTools
import Testing

/// Outputs that appear when they are whole, and leave nothing when they are abandoned.
struct OutputTests {
    private let scratch: ScratchDirectory
    private let unfinished = UnfinishedFiles()

    init() throws { scratch = try ScratchDirectory() }

    private func file(_ name: String = "out.txt") throws -> OutputFile {
        let file = try OutputFile(scratch.path + "/" + name, unfinished: unfinished)
        try file.append(Array("text".utf8))
        return file
    }

    private func directory(
        _ existing: OutputDirectory.Existing = .refuse, files: [String] = ["config.json"]
    ) throws -> OutputDirectory {
        let directory = try OutputDirectory(scratch.path + "/model", existing: existing, unfinished: unfinished)
        for name in files { try Files.write("new", to: directory.unfinishedPath + "/" + name) }
        return directory
    }

    @Test func anInterruptedRunCanRemoveWhatItStarted() throws {
        let (file, directory) = (try file(), try directory())
        #expect(try scratch.names.count == 2)
        unfinished.deleteAll()
        #expect(try scratch.names.isEmpty)
        withExtendedLifetime((file, directory)) {}
    }

    @Test func whatIsDroppedLeavesNothing() throws {
        do {
            let (file, directory) = (try file(), try directory())
            withExtendedLifetime((file, directory)) {}
        }
        #expect(try scratch.names.isEmpty)
    }

    @Test func whatIsCommittedAppears() throws {
        try file().commit()
        try directory().commit()
        #expect(try scratch.names == ["model", "out.txt"])
        unfinished.deleteAll()
        #expect(try scratch.names == ["model", "out.txt"])
        #expect(try scratch.read("out.txt") == Array("text".utf8))
        #expect(try scratch.read("model/config.json") == Array("new".utf8))
    }

    @Test func whatAKilledProcessLeftIsRemovedByTheNextWriter() throws {
        for name in [".out.txt.7.partial", ".out.txt.7-2.partial", ".other.txt.7.partial", ".out.txt.partial"] {
            try scratch.write("left", to: name)
        }
        try scratch.write("left", to: ".model.7.partial/config.json")
        let (file, directory) = (try file(), try directory())
        // Those of this process stay: it holds them, as another one would.
        try self.file().commit()
        let left = try scratch.names.filter { $0.hasSuffix(".7.partial") || $0.hasSuffix(".7-2.partial") }
        #expect(left == [".other.txt.7.partial"])
        #expect(try scratch.names.count == 5)
        let second = UnfinishedFiles()
        try Files.write("text", to: scratch.path + "/out.txt", unfinished: second)
        #expect(try scratch.names.count == 5)
        try file.commit()
        try directory.commit()
        #expect(try scratch.names == [".other.txt.7.partial", ".out.txt.partial", "model", "out.txt"])
        try Files.removeAbandoned(in: scratch.path)
        #expect(try scratch.names == ["model", "out.txt"])
    }

    @Test func aDirectoryLosesItsNameBeforeItsFiles() throws {
        try scratch.write("x", to: "12/file")
        let aside = try Files.moveAside(scratch.path + "/12")
        #expect(try scratch.names == [Files.name(of: aside)])
        try scratch.write("x", to: "12/file")
        try Files.removeWhole(scratch.path + "/12")
        try Files.removeWhole(scratch.path + "/12")
        #expect(try scratch.names == [Files.name(of: aside)])
        try Files.removeAbandoned(in: scratch.path)
        #expect(try scratch.names.isEmpty)
    }

    @Test func smallAndLargePiecesComeInTheirOrder() throws {
        let file = try OutputFile(scratch.path + "/out")
        let large = [UInt8](repeating: 7, count: 3 << 20)
        for piece in [[1, 2], large, [3], [], [4]] { try file.append(piece) }
        #expect(file.position == large.count + 4)
        try file.overwrite([9], at: 1)
        try file.overwrite([8], at: large.count + 2)
        try file.append([5])
        try file.commit()
        #expect(try scratch.read("out") == [1, 9] + large + [8, 4, 5])
    }

    @Test func whatCannotBeReplacedIsRefused() throws {
        try scratch.write("old", to: "folder/file")
        let error = try #require(throws: FileError.self) { try OutputFile(scratch.path + "/folder") }
        #expect(error.kind == .cannotCreate && error.description.contains("is no regular file"))
        let missing = try #require(throws: FileError.self) { try OutputFile(scratch.path + "/none/file") }
        #expect(missing.kind == .cannotCreate && missing.description.contains("cannot be created: No such file"))
        let file = try #require(throws: FileError.self) {
            try OutputDirectory(scratch.path + "/folder/file", existing: .merge)
        }
        #expect(file.kind == .cannotCreate && file.description.contains("is a file"))
    }

    @Test func aFullDirectoryIsRefusedMergedOrReplaced() throws {
        try scratch.write("old", to: "model/config.json")
        try scratch.write("old", to: "model/other.json")
        let error = try #require(throws: FileError.self) { try directory(.refuse) }
        #expect(error.kind == .cannotCreate && error.description.contains("is not empty"))
        try directory(.merge, files: ["config.json", "more.json"]).commit()
        #expect(try Files.names(in: scratch.path + "/model") == ["config.json", "more.json", "other.json"])
        #expect(try scratch.read("model/config.json") == Array("new".utf8))
        #expect(try scratch.read("model/other.json") == Array("old".utf8))
        try directory(.replace).commit()
        #expect(try Files.names(in: scratch.path + "/model") == ["config.json"])
        #expect(try scratch.names == ["model"])
    }

    /// Somebody reads the directory all the time that it is replaced.
    @Test func whatIsReplacedIsThereAtEveryMoment() throws {
        try directory().commit()
        let path = scratch.path + "/model/config.json"
        let isDone = Locked(false)
        let missed = Locked(0)
        let reader = Support.Thread {
            while !isDone.withLock({ $0 }) {
                if Files.isMissing(path) { missed.withLock { $0 += 1 } }
            }
        }
        for _ in 0..<100 { try directory(.replace).commit() }
        for _ in 0..<100 { try directory(.merge).commit() }
        isDone.withLock { $0 = true }
        try #require(reader).join()
        #expect(missed.withLock { $0 } == 0)
        #expect(try scratch.names == ["model"])
    }

    /// Where the file system cannot swap names, a process may be killed when the old name is free and not yet taken.
    @Test func whatWasToBeReplacedComesBack() throws {
        try scratch.write("old", to: ".model.7.replaced/config.json")
        try scratch.write("half", to: ".model.7.partial/config.json")
        try Files.removeAbandoned(in: scratch.path)
        #expect(try scratch.names == ["model"] && scratch.read("model/config.json") == Array("old".utf8))
        try scratch.write("older", to: ".model.7.replaced/config.json")
        try directory(.replace).commit()
        #expect(try scratch.names == ["model"] && scratch.read("model/config.json") == Array("new".utf8))
        try Files.remove(scratch.path + "/model")
        try scratch.write("old", to: ".model.7.replaced/config.json")
        // One that a process is about to replace is its own.
        let lock = try FileLock.take(scratch.path + "/.model.7.replaced")
        try Files.removeAbandoned(in: scratch.path)
        #expect(try scratch.names == [".model.7.replaced"])
        withExtendedLifetime(lock) {}
    }

    @Test func mergedFilesKeepTheirPlace() throws {
        try scratch.write("old", to: "elsewhere/config.json")
        try scratch.write("old", to: "elsewhere/folder/other.json")
        #expect(chmod(scratch.path + "/elsewhere", 0o750) == 0)
        try FileManager.default.createSymbolicLink(
            atPath: scratch.path + "/model", withDestinationPath: "elsewhere")
        // A link stays one, and so do folders.
        try directory(.merge).commit()
        #expect(try scratch.names == ["elsewhere", "model"])
        #expect(try scratch.read("elsewhere/config.json") == Array("new".utf8))
        #expect(try scratch.read("elsewhere/folder/other.json") == Array("old".utf8))
        try Files.remove(scratch.path + "/model")
        try Files.remove(scratch.path + "/elsewhere/folder")
        try scratch.write("old", to: "elsewhere/.hidden")
        #expect(rename(scratch.path + "/elsewhere", scratch.path + "/model") == 0)
        try directory(.merge, files: ["more.json"]).commit()
        #expect(try scratch.names == ["model"])
        #expect(
            try Files.names(in: scratch.path + "/model", hidden: true) == [".hidden", "config.json", "more.json"])
        let attributes = try FileManager.default.attributesOfItem(atPath: scratch.path + "/model")
        #expect(attributes[.posixPermissions] as? Int == 0o750)
    }

    @Test func twoDoNotMergeAtOnce() throws {
        try scratch.write("old", to: "model/config.json")
        let output = try directory(.merge)
        let lock = try FileLock.take(scratch.path + "/model")
        let error = try #require(throws: FileError.self) { try output.commit() }
        #expect(error.kind == .cannotCreate && error.reason.hasPrefix("is being written by another process"))
        #expect(try scratch.read("model/config.json") == Array("old".utf8))
        withExtendedLifetime(lock) {}
    }

    /// Where files are written until they are whole is nobody's concern.
    @Test func errorsNameThePlaceThatWasAskedFor() throws {
        let path = scratch.path + "/model"
        for name in ["", "/config.json"] {
            let error = #expect(throws: FileError.self) {
                try OutputDirectory.write(path, existing: .refuse) { directory in
                    throw FileError(.inputOutput, directory + name, "cannot be written into \(directory)")
                }
            }
            #expect(error?.description == "\(path)\(name): cannot be written into \(path)")
        }
        let other = #expect(throws: FileError.self) {
            try OutputDirectory.write(path, existing: .refuse) { directory in
                throw FileError(.missing, directory + "2", "is not there")
            }
        }
        #expect(other?.path.hasSuffix(".partial2") == true)
        // Nobody makes directories there.
        let refused = #expect(throws: FileError.self) { try OutputDirectory("/proc/model", existing: .refuse) }
        #expect(refused?.path == "/proc/model" && refused?.kind == .cannotCreate)
        #expect(try scratch.names.isEmpty)
    }
}
