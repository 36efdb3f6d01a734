import Foundation
import Support

/// Runs the built `vit`, which lies beside the tests.
enum Vit {
    /// What a finished run left.
    struct Outcome {
        /// The exit code; 128 and the signal's number where one ended the process.
        let status: Int32
        let output: String
        let errors: String

        var lines: [String] { output.split(separator: "\n").map(String.init) }
        var errorLines: [String] { errors.split(separator: "\n").map(String.init) }

        /// The objects of JSON lines.
        func objects() throws -> [[String: Any]] {
            try lines.map { line in
                guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
                    throw CocoaError(.coderReadCorrupt)
                }
                return object
            }
        }
    }

    static var executable: URL {
        let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        return tests.deletingLastPathComponent().appendingPathComponent("vit")
    }

    /// Runs `vit` with these arguments to its end, in `scratch`.
    static func run(
        _ arguments: [String], in scratch: Scratch, input: [UInt8] = [], environment: [String: String] = [:]
    ) throws -> Outcome {
        let run = try Run(arguments, in: scratch, input: input, environment: environment)
        return try run.wait()
    }

    /// A run under way.
    final class Run {
        let process = Process()
        private let outputFile: URL
        private let errorFile: URL

        init(
            _ arguments: [String], in scratch: Scratch, input: [UInt8] = [], environment: [String: String] = [:],
            output: FileHandle? = nil, executable: URL = Vit.executable
        ) throws {
            let streams = scratch.url.appendingPathComponent(".streams-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: streams, withIntermediateDirectories: true)
            outputFile = streams.appendingPathComponent("out")
            errorFile = streams.appendingPathComponent("err")
            let inputFile = streams.appendingPathComponent("in")
            try Data(input).write(to: inputFile)
            try Data().write(to: outputFile)
            try Data().write(to: errorFile)
            process.executableURL = executable
            process.arguments = arguments
            process.currentDirectoryURL = scratch.url
            process.environment = ProcessInfo.processInfo.environment
                .merging(["VIT_CHECKPOINTS": Fixtures.checkpoints]) { $1 }
                // No test asks the network, or depends on what the user has in the cache.
                .merging(["HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": scratch.path("no-cache"), "HF_TOKEN": ""]) { $1 }
                .merging(["XDG_CACHE_HOME": scratch.path(".streams-cache")]) { $1 }
                .merging(environment) { $1 }
            process.standardInput = try FileHandle(forReadingFrom: inputFile)
            process.standardOutput = try output ?? FileHandle(forWritingTo: outputFile)
            process.standardError = try FileHandle(forWritingTo: errorFile)
            try process.run()
        }

        /// What it has written to standard error so far.
        var errors: String { (try? String(contentsOf: errorFile, encoding: .utf8)) ?? "" }

        func wait() throws -> Outcome {
            process.waitUntilExit()
            let base: Int32 = process.terminationReason == .uncaughtSignal ? 128 : 0
            return Outcome(
                status: base + process.terminationStatus,
                output: String(decoding: try Data(contentsOf: outputFile), as: UTF8.self),
                errors: String(decoding: try Data(contentsOf: errorFile), as: UTF8.self))
        }
    }
}

/// Files that the tests start from.
enum Fixtures {
    private static let tests = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    private static let root = tests.appendingPathComponent("Fixtures")

    /// A program of the repository's tools.
    static func tool(_ name: String) -> String {
        tests.deletingLastPathComponent().appendingPathComponent("tools/\(name)").path
    }

    /// Small checkpoints, a folder each: known to `--model` by their names.
    static let checkpoints = root.appendingPathComponent("checkpoints").path

    static func checkpoint(_ name: String) -> String { checkpoints + "/" + name }

    static func image(_ name: String) -> String { root.appendingPathComponent("imaging/\(name)").path }

    /// Where the corpora are, for tests that want them.
    static let data = ProcessInfo.processInfo.environment["SWIFT_VIT_DATA"].flatMap { $0.isEmpty ? nil : $0 }
}
