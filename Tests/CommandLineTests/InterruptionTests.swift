import Foundation
import Testing

/// Signals, kills, and two processes with one output.
struct InterruptionTests {
    private let scratch: Scratch
    private static let training = [
        "--image-size", "16", "--patch-size", "8", "--width", "16", "--depth", "1", "--heads", "2", "--batch-size", "2",
        "--checkpoint-every", "3", "--quiet",
    ]

    init() throws {
        scratch = try Scratch()
        for seed in 0..<6 { try scratch.writeImage("data/\(seed % 2)/\(seed).png", seed: seed) }
        try scratch.writeImage("a.png")
    }

    /// Commands that read `pipe.png`, also by a table or an index that names it.
    @Test(arguments: [
        ["embed", "a.png", "pipe.png", "--output", "out.npy"],
        ["attention", "a.png", "pipe.png", "--output", "maps", "--weights", "out.npy"],
        ["reconstruct", "a.png", "pipe.png", "--output", "maps", "--prediction", "out.npy"],
        ["evaluate", "table.csv", "--predictions", "out.csv"],
        ["probe", "split.csv", "--method", "knn", "--features", "out.npy"],
        ["inspect", "--images", "pipe.png", "--output", "out.html"],
        ["search", "index.npy", "pipe.png", "--html", "out.html"],
        ["duplicates", "index.npy", "--html", "out.html"],
        ["map", "index.npy", "--output", "out.html"],
    ])
    func aRequestToEndIsFollowedAtOnce(_ arguments: [String]) throws {
        let (command, isMAE) = (arguments[0], arguments[0] == "reconstruct")
        let checkpoint = Fixtures.checkpoint(isMAE ? "hf-mae" : "hf-vit")
        var model = ["--model", checkpoint]
        if command == "inspect" { model = [checkpoint] }
        if ["search", "duplicates", "map"].contains(command) {
            model = []
            try scratch.writeImage("pipe.png", seed: 3)
            let embedded = try Vit.run(
                ["embed", "a.png", "pipe.png", "--model", checkpoint, "--output", "index.npy", "--quiet"], in: scratch)
            #expect(embedded.status == 0, "\(embedded.errors)")
            try FileManager.default.removeItem(atPath: scratch.path("pipe.png"))
        }
        try scratch.write("path,label\na.png,ant\npipe.png,bee\n", to: "table.csv")
        try scratch.write(
            "path,label,split\na.png,ant,train\npipe.png,bee,train\ndata/0/0.png,ant,val\n", to: "split.csv")
        try #require(mkfifo(scratch.path("pipe.png"), 0o600) == 0)
        let names = try scratch.names
        for (signal, status) in [(SIGINT, 130), (SIGTERM, 143), (SIGHUP, 143)] as [(Int32, Int32)] {
            let run = try Vit.Run(arguments + model, in: scratch)
            let pipe = try scratch.openPipe("pipe.png", readBy: run)
            #expect(pipe != nil, "\(run.errors)")
            kill(run.process.processIdentifier, signal)
            let outcome = try run.wait()
            #expect(outcome.status == status && !outcome.errors.contains("Error"), "\(outcome.errors)")
            // What is drawn already, and the rows of a run that can be resumed, stay.
            let left = try scratch.names.filter { !names.contains($0) && $0 != "maps" && $0 != "out.npy.partial" }
            #expect(left.isEmpty)
        }
    }

    @Test(arguments: [(SIGINT, Int32(130)), (SIGHUP, Int32(143))])
    func aBenchmarkEndsAtOnce(signal: Int32, status: Int32) throws {
        let run = try Vit.Run(
            ["benchmark", "--arch", "vit-tiny", "--image-size", "32", "--rounds", "100000", "--threads", "1"],
            in: scratch)
        try waitUntilSignalsAreWatched(run)
        kill(run.process.processIdentifier, signal)
        #expect(try run.wait().status == status)
    }

    private func waitUntilSignalsAreWatched(_ run: Vit.Run) throws {
        let path = "/proc/\(run.process.processIdentifier)/status"
        while run.process.isRunning {
            let lines = ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: "\n")
            let mask = lines.first { $0.hasPrefix("SigBlk:") }?.split(separator: "\t").last ?? ""
            if (UInt64(mask, radix: 16) ?? 0) >> (SIGINT - 1) & 1 == 1 { return }
            usleep(1000)
        }
    }

    /// The first one asks for a checkpoint, which a long step keeps waiting; the second one does not wait.
    @Test func theSecondSignalDoesNotWait() throws {
        let run = try Vit.Run(
            [
                "finetune", "data", "--output", "run", "--arch", "vit-base", "--image-size", "224", "--patch-size", "8",
                "--batch-size", "6", "--threads", "1", "--quiet",
            ], in: scratch)
        while run.process.isRunning, !FileManager.default.fileExists(atPath: scratch.path("run/config.json")) {
            usleep(1000)
        }
        kill(run.process.processIdentifier, SIGINT)
        while run.process.isRunning, !run.errors.contains("interrupt again to stop at once") { usleep(1000) }
        kill(run.process.processIdentifier, SIGINT)
        let outcome = try run.wait()
        #expect(outcome.status == 130 && !outcome.errors.contains("stopped after step"), "\(outcome.errors)")
    }

    @Test func twoProcessesDoNotTrainInOneFolder() throws {
        let start = ["data", "--output", "run"] + Self.training
        let run = try Vit.Run(["finetune"] + start + ["--steps", "100000000"], in: scratch)
        scratch.waitForCheckpoint(of: run)
        let second = try Vit.run(["finetune"] + start + ["--resume"], in: scratch)
        #expect(second.status == 73)
        #expect(
            second.errorLines == [
                "Error: run: another process is training in it; wait for it, or name another directory"
            ])
        let other = try Vit.run(["pretrain"] + start, in: scratch)
        #expect(other.status == 73 && other.errors.contains("run: already holds a run"))
        kill(run.process.processIdentifier, SIGTERM)
        #expect(try run.wait().status == 143)
    }

    @Test func twoProcessesDoNotWriteOneFileOfRows() throws {
        try #require(mkfifo(scratch.path("pipe.png"), 0o600) == 0)
        let start = ["embed", "a.png", "--model", "hf-vit", "--output", "out.npy", "--quiet"]
        let run = try Vit.Run(start + ["pipe.png"], in: scratch)
        let pipe = try #require(try scratch.openPipe("pipe.png", readBy: run))
        for more in [[], ["--resume"], ["--update"]] {
            let second = try Vit.run(start + more, in: scratch)
            #expect(second.status == 73)
            #expect(
                second.errorLines == ["Error: out.npy: is being written by another process; wait for it, or end it"])
        }
        try pipe.write(contentsOf: Data(scratch.read("a.png")))
        try pipe.close()
        #expect(try run.wait().status == 0)
        #expect(try scratch.read("out.index.csv").filter { $0 == UInt8(ascii: "\n") }.count == 3)
    }

    /// The old index is gone, with or without the settings, and the new rows are not yet in their place.
    @Test(.enabled(if: Strace.isUsable), arguments: [("unlink", 2), ("rename", 1)])
    func anUpdateThatWasKilledAtItsEndGoesOn(call: String, number: Int) throws {
        let start = ["embed", "data", "--model", "hf-vit", "--quiet", "--output"]
        #expect(try Vit.run(start + ["out.npy"], in: scratch).status == 0)
        try scratch.writeImage("data/0/0.png", seed: 9)
        #expect(try Vit.run(start + ["whole.npy"], in: scratch).status == 0)
        let killed = try Strace.run(start + ["out.npy", "--update"], killedAt: call, number: number, in: scratch)
        #expect(killed.status == 128 + SIGKILL)
        #expect(try !scratch.names.contains("out.index.csv"))
        let outcome = try Vit.run(start + ["out.npy", "--update", "--resume"], in: scratch)
        #expect(outcome.status == 0, "\(outcome.errors)")
        for ending in ["npy", "index.csv", "settings.json"] {
            #expect(try scratch.read("out.\(ending)") == scratch.read("whole.\(ending)"))
        }
        #expect(try !scratch.names.contains { $0.hasSuffix(".partial") })
    }

    /// A journal that loses its files before its name would be taken for the beginning of another run.
    @Test(.enabled(if: Strace.isUsable)) func aJournalThatWasKilledAtItsRemovalIsNoRun() throws {
        let start = ["embed", "data", "--model", "hf-vit", "--quiet", "--output", "out.npy", "--resume"]
        #expect(try Strace.run(start, killedAt: "rmdir", number: 1, in: scratch).status == 128 + SIGKILL)
        let names = try scratch.names
        #expect(names.contains("out.npy") && !names.contains("out.npy.partial"))
        #expect(try Vit.run(start, in: scratch).status == 0)
        #expect(try scratch.names == names.filter { !$0.hasSuffix(".partial") })
    }

    /// Memory that is a file's is gone with the end of the file.
    @Test func aFileThatIsCutOffWhileItIsReadIsNamed() throws {
        try #require(mkfifo(scratch.path("pipe.png"), 0o600) == 0)
        let columns = 16
        let rows = 4096
        let shape = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows), \(columns)), }"
        let head = shape.padding(toLength: 117, withPad: " ", startingAt: 0) + "\n"
        let start: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(head.utf8)
        try scratch.write(start + [UInt8](repeating: 60, count: rows * columns * 4), to: "größe.npy")
        let run = try Vit.Run(
            ["search", "größe.npy", "pipe.png", "--model", "hf-vit", "--pool", "cls", "--threads", "1"], in: scratch)
        let pipe = try #require(try scratch.openPipe("pipe.png", readBy: run))
        try #require(truncate(scratch.path("größe.npy"), 200) == 0)
        try pipe.write(contentsOf: Data(scratch.read("a.png")))
        try pipe.close()
        let outcome = try run.wait()
        #expect(outcome.status == 74)
        #expect(outcome.errorLines.count == 1)
        #expect(outcome.errors.hasPrefix("Error: /"), "\(outcome.errors)")
        #expect(outcome.errors.contains("/größe.npy: was made shorter, or cannot be read, while it is in use"))
    }

    @Test func anImageThatCannotBeExaminedIsNamedByDuplicates() throws {
        let file = "data/0/0.png"
        try scratch.write(scratch.read(file), to: "data/1/copy.png")
        let embedded = try Vit.run(
            ["embed", "data", "--model", "hf-vit", "--output", "x.npy", "--quiet"], in: scratch)
        #expect(embedded.status == 0)
        try FileManager.default.removeItem(atPath: scratch.path(file))
        let missing = try Vit.run(["duplicates", "x.npy", "--quiet"], in: scratch)
        #expect(missing.status == 0 && missing.errors.isEmpty)
        try FileManager.default.createSymbolicLink(atPath: scratch.path(file), withDestinationPath: "0.png")
        let outcome = try Vit.run(["duplicates", "x.npy", "--quiet"], in: scratch)
        #expect(outcome.status == 1 && outcome.errorLines.count == 1)
        #expect(outcome.errors.hasSuffix("data/0/0.png: Too many levels of symbolic links\n"))
        let close = try Vit.run(["duplicates", "x.npy", "--threshold", "0.99", "--quiet"], in: scratch)
        #expect(close.output.contains(file) && close.status == 1)
        #expect(close.errors.contains("data/0/0.png: cannot be examined: too many levels"), "\(close.errors)")
    }
}
