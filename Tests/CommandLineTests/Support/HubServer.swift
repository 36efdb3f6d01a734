import Foundation

/// A hub of models on this machine, `tools/hub_server.py`, with the faults that a test asks for.
final class HubServer {
    /// A request that it had.
    struct Request: Decodable {
        let server: String
        let method: String
        let path: String
        let authorization: String?
        let range: String?
    }

    private struct Addresses: Decodable {
        let endpoint: String
        let store: String
    }

    private let scratch: Scratch
    private let process = Process()
    private let input = Pipe()
    private let addresses: Addresses

    /// Whether the programs that it needs are here.
    static let isUsable = ["python3", "curl"].allSatisfy { name in
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [name, "--version"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    /// Serves the folders `hub/OWNER/NAME` of `scratch`.
    init(in scratch: Scratch, _ faults: [String: Any] = [:]) throws {
        self.scratch = scratch
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "python3", Fixtures.tool("hub_server.py"), scratch.path("hub"),
            String(decoding: try JSONSerialization.data(withJSONObject: faults), as: UTF8.self),
        ]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        var line = Data()
        while line.last != UInt8(ascii: "\n") {
            let piece = output.fileHandleForReading.availableData
            if piece.isEmpty { throw CocoaError(.fileReadUnknown) }
            line += piece
        }
        addresses = try JSONDecoder().decode(Addresses.self, from: line)
    }

    deinit {
        // A request to end may be blocked, as it is in the threads that run tests.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// What makes `vit` ask this hub, with a cache in the scratch directory.
    var environment: [String: String] {
        [
            "HF_ENDPOINT": addresses.endpoint, "HF_HUB_CACHE": scratch.path("cache"), "HF_HOME": scratch.path("home"),
            "HF_HUB_OFFLINE": "0", "HF_HUB_DOWNLOAD_TIMEOUT": "3", "NO_PROXY": "*",
        ]
    }

    /// Runs `vit` against this hub.
    func run(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Vit.Outcome {
        try Vit.run(arguments, in: scratch, environment: self.environment.merging(environment) { $1 })
    }

    /// The requests so far.
    var requests: [Request] {
        get throws {
            guard let text = try? String(contentsOfFile: scratch.path("hub.log"), encoding: .utf8) else { return [] }
            return try text.split(separator: "\n").map { try JSONDecoder().decode(Request.self, from: Data($0.utf8)) }
        }
    }
}

extension Scratch {
    /// Puts a model on the hub: a checkpoint of the fixtures.
    func publish(_ checkpoint: String, as name: String) throws {
        for file in ["config.json", "preprocessor_config.json", "model.safetensors"] {
            guard let bytes = FileManager.default.contents(atPath: "\(Fixtures.checkpoint(checkpoint))/\(file)") else {
                continue
            }
            try write(Array(bytes), to: "hub/\(name)/\(file)")
        }
    }

    /// Puts a model on the hub with weights that nobody can read, but of some size.
    func publishLarge(as name: String, byteCount: Int) throws {
        try write(#"{"model_type": "vit"}"#, to: "hub/\(name)/config.json")
        try write(
            (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }, to: "hub/\(name)/model.safetensors")
    }

    /// The paths of all files below a folder, hidden ones too; links are not followed.
    func paths(below folder: String) -> [String] {
        (FileManager.default.enumerator(atPath: path(folder))?.allObjects as? [String] ?? []).sorted()
    }
}
