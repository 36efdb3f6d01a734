import Foundation
import Testing

/// Standard streams and signals.
struct StreamTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        try scratch.writeImage("a.png")
    }

    /// A run that waits for an image from a pipe, once its output file has been started.
    private func startWaitingRun(isFirst: Bool = true) throws -> (run: Vit.Run, pipe: FileHandle) {
        if isFirst { try #require(mkfifo(scratch.path("pipe.png"), 0o600) == 0) }
        let run = try Vit.Run(
            ["classify", "a.png", "pipe.png", "--model", "hf-vit", "--logits", "out.npy"], in: scratch)
        // Opening one end waits until the other end is open too.
        let pipe = try #require(FileHandle(forWritingAtPath: scratch.path("pipe.png")))
        return (run, pipe)
    }

    @Test(arguments: [(SIGINT, Int32(130)), (SIGTERM, Int32(143)), (SIGHUP, Int32(143))])
    func anInterruptedRunLeavesNoPartialFile(signal: Int32, status: Int32) throws {
        try scratch.write("old", to: "out.npy")
        let (run, pipe) = try startWaitingRun()
        #expect(try scratch.names.contains { $0.hasSuffix(".partial") })
        kill(run.process.processIdentifier, signal)
        let outcome = try run.wait()
        try pipe.close()
        #expect(outcome.status == status)
        #expect(outcome.errors.isEmpty)
        #expect(try scratch.names == ["a.png", "out.npy", "pipe.png"])
        #expect(try scratch.read("out.npy") == Array("old".utf8))
    }

    /// Nothing can be cleaned up by a process that is killed; the next one that writes the same output does.
    @Test func theNextRunRemovesWhatAKilledOneLeft() throws {
        let (run, pipe) = try startWaitingRun()
        kill(run.process.processIdentifier, SIGKILL)
        #expect(try run.wait().status == 128 + SIGKILL)
        try pipe.close()
        let left = try scratch.names.filter { $0.hasSuffix(".partial") }
        #expect(left.count == 1)
        // The same of a run that is under way, and what only looks like it.
        let (other, otherPipe) = try startWaitingRun(isFirst: false)
        let names = try scratch.names.filter { $0.hasSuffix(".partial") }
        #expect(names.count == 1 && names != left)
        for name in [".out.npy.partial", ".other.npy.1.partial", ".out.npy.x1.partial"] {
            try scratch.write("x", to: name)
        }
        let outcome = try Vit.run(["classify", "a.png", "--model", "hf-vit", "--logits", "out.npy"], in: scratch)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try scratch.names.filter { $0.hasSuffix(".partial") }.count == 4)
        try otherPipe.write(contentsOf: Data(scratch.read("a.png")))
        try otherPipe.close()
        #expect(try other.wait().status == 0)
        #expect(
            try scratch.names.filter { $0.hasSuffix(".partial") } == [
                ".other.npy.1.partial", ".out.npy.partial", ".out.npy.x1.partial",
            ])
    }

    @Test func anImageMayComeFromAPipe() throws {
        let (run, pipe) = try startWaitingRun()
        try pipe.write(contentsOf: Data(scratch.read("a.png")))
        try pipe.close()
        let outcome = try run.wait()
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.lines.count == 2)
    }

    @Test func aReaderThatLeavesEndsTheRunQuietly() throws {
        let output = Pipe()
        try output.fileHandleForReading.close()
        let run = try Vit.Run(
            ["classify", "a.png", "a.png", "--model", "hf-vit", "--logits", "out.npy"], in: scratch,
            output: output.fileHandleForWriting)
        let outcome = try run.wait()
        #expect(outcome.status == 128 + SIGPIPE)
        #expect(outcome.errors.isEmpty)
        #expect(try scratch.names == ["a.png"])
    }

    @Test(arguments: [
        ["classify", "a.png", "--model", "hf-vit"], ["--help"], ["pretrain", "--help"], ["--version"],
        ["--generate-completion-script", "bash"],
    ])
    func aFullDiskIsReported(_ arguments: [String]) throws {
        let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
        let run = try Vit.Run(arguments, in: scratch, output: full)
        let outcome = try run.wait()
        #expect(outcome.status == 74)
        #expect(outcome.errorLines == ["Error: standard output: cannot be written: No space left on device"])
    }
}
