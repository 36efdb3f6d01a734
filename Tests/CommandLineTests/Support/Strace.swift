import Foundation

/// Runs `vit` where a call of the system fails, by strace, which need not be there.
enum Strace {
    private static let executable = URL(fileURLWithPath: "/usr/bin/strace")

    /// Whether strace is there and may look into other processes.
    static let isUsable: Bool = {
        let process = Process()
        process.executableURL = executable
        process.arguments = ["-o", "/dev/null", "/bin/true"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    /// Runs `vit` to its end, or until it is killed at the given number of a call.
    static func run(
        _ arguments: [String], killedAt call: String, number: Int, in scratch: Scratch
    ) throws -> Vit.Outcome {
        let options = ["-f", "-qq", "-o", "/dev/null", "-e", "inject=\(call):signal=KILL:when=\(number)"]
        return try Vit.Run(options + [Vit.executable.path] + arguments, in: scratch, executable: executable).wait()
    }

    /// Runs `vit` to its end, where each of `calls` on `path` fails.
    static func run(
        _ arguments: [String], failing calls: String, on path: String, in scratch: Scratch
    ) throws -> Vit.Outcome {
        let options = ["-f", "-qq", "-o", "/dev/null", "-P", path, "-e", "inject=\(calls):error=EIO"]
        return try Vit.Run(
            options + [Vit.executable.path] + arguments, in: scratch, executable: executable
        ).wait()
    }
}
