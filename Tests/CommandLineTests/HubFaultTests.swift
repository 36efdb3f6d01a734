import Foundation
import Support
import Testing

/// Downloads that do not go well: they go on where they ended, or end in a sentence, and the cache is never spoilt.
@Suite(.enabled(if: HubServer.isUsable)) struct HubFaultTests {
    private let scratch: Scratch
    private static let byteCount = 6 << 20

    init() throws {
        scratch = try Scratch()
        try scratch.publishLarge(as: "owner/large", byteCount: Self.byteCount)
    }

    private let download = ["models", "--download", "owner/large"]

    private var digest: String { get throws { SHA256(of: try scratch.read("hub/owner/large/model.safetensors")).hex } }
    private var blob: String { get throws { "cache/models--owner--large/blobs/" + (try digest) } }

    private func size(_ name: String) -> Int? {
        (try? FileManager.default.attributesOfItem(atPath: scratch.path(name)))?[.size] as? Int
    }

    private func expectWhole() throws {
        #expect(try scratch.read(blob) == scratch.read("hub/owner/large/model.safetensors"))
        #expect(try size(blob + ".incomplete") == nil)
    }

    private func expectNothing() throws {
        #expect(try size(blob) == nil)
        #expect(size("cache/models--owner--large/refs/main") == nil)
        let snapshots = scratch.paths(below: "cache/models--owner--large/snapshots")
        #expect(!snapshots.contains { $0.hasSuffix("model.safetensors") })
    }

    @Test func aCutConnectionGoesOnByItself() throws {
        let server = try HubServer(in: scratch, ["cuts": 2])
        let outcome = try server.run(download)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(
            outcome.errors.contains("broke the connection off after 3.1 MB; going on from there"), "\(outcome.errors)")
        try expectWhole()
        let ranges = try server.requests.filter { $0.server == "store" }.map(\.range)
        #expect(ranges == [nil, "bytes=\(Self.byteCount / 2)-", "bytes=\(Self.byteCount * 3 / 4)-"])
    }

    @Test func aStalledConnectionIsCut() throws {
        let server = try HubServer(in: scratch, ["stalls": 1])
        let outcome = try server.run(download, ["HF_HUB_DOWNLOAD_TIMEOUT": "1"])
        #expect(outcome.status == 0 && outcome.errors.contains("gave no answer in time"), "\(outcome.errors)")
        try expectWhole()
    }

    @Test func aConnectionThatBreaksForEverEndsAndTheNextCallGoesOn() throws {
        do {
            let server = try HubServer(in: scratch, ["end": 4_000_000])
            let outcome = try server.run(download + ["--quiet"])
            #expect(outcome.status == 74, "\(outcome.errors)")
            #expect(outcome.errors.contains("owner/large/model.safetensors: localhost"))
            #expect(
                outcome.errors.contains(
                    "broke the connection off, after 4.0 MB of 6.3 MB and 5 attempts to go on; the same command again goes on"
                ),
                "\(outcome.errors)")
            #expect(outcome.errorLines.count == 1)
            try expectNothing()
        }
        let left = try #require(try size(blob + ".incomplete"))
        #expect(left == 4_000_000)
        try FileManager.default.removeItem(atPath: scratch.path("hub.log"))
        let server = try HubServer(in: scratch)
        #expect(try server.run(download).status == 0)
        #expect(try server.requests.last { $0.server == "store" }?.range == "bytes=\(left)-")
        try expectWhole()
    }

    @Test func aServerWithoutRangesSendsAllAgain() throws {
        let server = try HubServer(in: scratch, ["cuts": 1, "ignores_range": true])
        #expect(try server.run(download).status == 0)
        try expectWhole()
    }

    @Test func aWrongLengthIsRefused() throws {
        let server = try HubServer(in: scratch, ["extra_size": 7])
        let outcome = try server.run(download + ["--quiet"])
        #expect(outcome.status == 74)
        #expect(
            outcome.errors.contains("sends \(Self.byteCount) bytes, and the hub states \(Self.byteCount + 7)"),
            "\(outcome.errors)")
        try expectNothing()
    }

    @Test func damagedContentIsRefused() throws {
        let server = try HubServer(in: scratch, ["damaged": 1])
        let outcome = try server.run(download + ["--quiet"])
        #expect(
            outcome.status == 74 && outcome.errors.contains("was damaged on the way; try again"), "\(outcome.errors)")
        try expectNothing()
        #expect(try size(blob + ".incomplete") == nil)
        #expect(try server.run(download).status == 0)
        try expectWhole()
    }

    @Test func damagedSettingsAreRefused() throws {
        // What git would call other content.
        let server = try HubServer(in: scratch, ["etag": String(repeating: "0", count: 40)])
        let outcome = try server.run(download + ["--quiet"])
        #expect(
            outcome.status == 74 && outcome.errors.contains("owner/large/config.json: what came is not"),
            "\(outcome.errors)")
        try expectNothing()
    }

    @Test func whatAnEarlierAttemptLeftWrongIsFetchedAgain() throws {
        let server = try HubServer(in: scratch)
        try scratch.write([UInt8](repeating: 7, count: 100_000), to: blob + ".incomplete")
        let outcome = try server.run(download)
        #expect(outcome.status == 0, "\(outcome.errors)")
        try expectWhole()
        // The same where more is there than there should be.
        try FileManager.default.removeItem(atPath: scratch.path("cache"))
        try scratch.write([UInt8](repeating: 7, count: Self.byteCount + 1), to: blob + ".incomplete")
        #expect(try server.run(download).status == 0)
        try expectWhole()
    }

    @Test func twoProcessesAtOnceFetchItOnce() throws {
        let server = try HubServer(in: scratch, ["bytes_per_second": 6 << 20])
        let first = try Vit.Run(download, in: scratch, environment: server.environment)
        let second = try Vit.Run(download, in: scratch, environment: server.environment)
        let outcomes = [try first.wait(), try second.wait()]
        for outcome in outcomes { #expect(outcome.status == 0, "\(outcome.errors)") }
        #expect(outcomes.contains { $0.errors.contains("another process fetches it; waiting for that") })
        #expect(try server.requests.filter { $0.server == "store" }.count == 1)
        try expectWhole()
    }

    @Test func aKilledProcessLeavesWhatTheNextOneGoesOnWith() throws {
        let server = try HubServer(in: scratch, ["bytes_per_second": 4 << 20])
        let run = try Vit.Run(download, in: scratch, environment: server.environment)
        while run.process.isRunning, try (size(blob + ".incomplete") ?? 0) < 2 << 20 { usleep(5000) }
        kill(run.process.processIdentifier, SIGKILL)
        #expect(try run.wait().status == 128 + SIGKILL)
        try expectNothing()
        let left = try #require(try size(blob + ".incomplete"))
        let outcome = try server.run(download)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try server.requests.last { $0.server == "store" }?.range == "bytes=\(left)-")
        try expectWhole()
    }

    @Test func anInterruptedProcessEndsAtOnce() throws {
        let server = try HubServer(in: scratch, ["bytes_per_second": 1 << 20])
        let run = try Vit.Run(download, in: scratch, environment: server.environment)
        while run.process.isRunning, try (size(blob + ".incomplete") ?? 0) < 1 << 20 { usleep(5000) }
        kill(run.process.processIdentifier, SIGINT)
        #expect(try run.wait().status == 130)
        try expectNothing()
    }

    @Test func aFullDiskEndsWith74() throws {
        let server = try HubServer(in: scratch)
        let shell = URL(fileURLWithPath: "/bin/bash")
        let outcome = try Vit.Run(
            ["-c", "ulimit -f 2000; exec \"$0\" \"$@\"", Vit.executable.path] + download + ["--quiet"], in: scratch,
            environment: server.environment, executable: shell
        ).wait()
        #expect(
            outcome.status == 74 && outcome.errors.contains("cannot be written: File too large"), "\(outcome.errors)")
        #expect(outcome.errorLines.count == 1)
        try expectNothing()
        #expect(try server.run(download).status == 0)
        try expectWhole()
    }

    @Test func aDiskThatIsTooSmallIsSaidBefore() throws {
        let server = try HubServer(in: scratch, ["extra_size": 1 << 60])
        let outcome = try server.run(download + ["--quiet"])
        #expect(
            outcome.status == 74 && outcome.errors.contains("MB; make room, or set HF_HUB_CACHE to a larger disk"),
            "\(outcome.errors)")
        #expect(try !server.requests.contains { $0.server == "store" })
    }

    @Test func aCacheThatCannotBeWrittenEndsWith73() throws {
        let server = try HubServer(in: scratch)
        try scratch.write("", to: "cache")
        let outcome = try server.run(download + ["--quiet"])
        #expect(
            outcome.status == 73 && outcome.errors.contains("cache: is a file; a directory was expected"),
            "\(outcome.errors)")
    }
}
