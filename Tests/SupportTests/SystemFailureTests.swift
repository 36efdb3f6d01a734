import Foundation
import Support
import TestTools
import Testing

/// Failures of the system: none is taken for an end, an absence or a success.
struct SystemFailureTests {
    private let scratch: ScratchDirectory
    /// A name that the system cannot look at: a link to itself.
    private let loop: String

    init() throws {
        scratch = try ScratchDirectory()
        loop = scratch.path + "/loop"
        try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: "loop")
    }

    @Test func aListingThatBreaksOffIsNoListing() throws {
        try scratch.write("x", to: "folder/file")
        let stream = try #require(opendir(scratch.path + "/folder"))
        // The directory turns into something that cannot be listed.
        let file = try #require(fopen(scratch.path + "/folder/file", "r"))
        #expect(dup2(fileno(file), dirfd(stream)) >= 0)
        fclose(file)
        #expect(throws: SystemError(code: ENOTDIR)) { try Files.entries(of: stream, hidden: true) }
    }

    @Test func onlyWhatIsMissingIsMissing() throws {
        let file = try scratch.write("x", to: "file")
        for path in [scratch.path + "/none", file + "/below"] {
            #expect(try Files.kind(of: path) == .missing && Files.isMissing(path))
            #expect(try Files.names(in: path).isEmpty && Files.resolved(path) == path)
            #expect(try JSON.readable(path) == nil)
            try Files.remove(scratch.path + "/none")
        }
        let words = "too many levels of symbolic links"
        for body in [
            { _ = try Files.kind(of: loop) }, { _ = try Files.names(in: loop) }, { _ = try Files.resolved(loop) },
            { _ = try JSON.readable(loop) }, { _ = try MappedFile(loop, expected: "a file") },
        ] as [() throws -> Void] {
            let error = try #require(throws: FileError.self, performing: body)
            #expect(error.kind == .inputOutput && error.path == loop && error.reason.hasSuffix(words), "\(error)")
        }
        #expect(!Files.isMissing(loop))
        let output = try #require(throws: FileError.self) { try OutputFile(loop) }
        #expect(output.kind == .cannotCreate && output.path == loop)
        try Files.remove(loop)
        #expect(Files.isMissing(loop))
    }

    @Test func aWalkNamesWhatItCannotLookAt() throws {
        try scratch.write("x", to: "a.txt")
        // The memory of this process at address 0, which it does not have: every read fails.
        let broken = scratch.path + "/broken"
        try FileManager.default.createSymbolicLink(atPath: broken, withDestinationPath: "/proc/self/mem")
        let walk = DirectoryWalk(root: scratch.path, named: { $0.hasSuffix(".txt") }) { (path) throws(SystemError) in
            try InputFile(path).read(upTo: 1).isEmpty
        }
        #expect(walk.files == [scratch.path + "/a.txt"])
        #expect(walk.failures.map(\.path) == [broken])
        #expect(walk.failures.map(\.reason) == ["input/output error"])
    }

    @Test func whatCannotBeReadHasNoEnd() throws {
        #expect(throws: SystemError(code: EIO)) { try Files.bytes(of: "/proc/self/mem") }
        var lines = try AppendedFile("/proc/self/mem", of: "output").lines()
        let error = try #require(throws: FileError.self) { try lines.next() }
        #expect(error == FileError(.inputOutput, "output", "cannot be read back: Input/output error"))
        let json = try #require(throws: FileError.self) { try JSON.readable("/proc/self/mem") }
        #expect(json == FileError(.inputOutput, "/proc/self/mem", "cannot be read: input/output error"))
    }

    @Test func whatHasNoEndIsNotRead() throws {
        #expect(throws: SystemError.isNoFile) { try Files.bytes(of: "/dev/zero") }
        #expect(throws: SystemError(code: EISDIR)) { try Files.bytes(of: scratch.path) }
        let large = try scratch.write("", to: "large")
        #expect(truncate(large, 17 << 30) == 0)
        #expect(throws: SystemError(code: EFBIG)) { try Files.bytes(of: large) }
        let error = try #require(throws: FileError.self) { try JSON.file(large) }
        #expect(error == .malformed(large, "is too large; expected a JSON file"))
        let device = try #require(throws: FileError.self) { try JSON.file("/dev/zero") }
        #expect(device == .malformed("/dev/zero", "is not a regular file; expected a JSON file"))
    }

    @Test func whatIsNotOnTheDiskIsNotWritten() throws {
        #expect(throws: SystemError(code: EBADF)) { try Files.synchronize(descriptor: -1) }
        // A pipe is on no disk.
        let pipe = Pipe()
        try Files.synchronize(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        #expect(throws: SystemError(code: ENOENT)) { try Files.synchronize(directory: scratch.path + "/none") }
        try Files.synchronize(directory: scratch.path)
        let busy = try #require(throws: FileError.self) { try Files.remove("/proc/self") }
        #expect(busy.kind == .inputOutput && busy.description.hasPrefix("/proc/self: cannot be removed: "))
    }
}
