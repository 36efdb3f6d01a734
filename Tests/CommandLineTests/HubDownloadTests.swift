import Foundation
import Support
import Testing

/// Models that are fetched from a hub by name.
@Suite(.enabled(if: HubServer.isUsable)) struct HubDownloadTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        try scratch.publish("hf-vit", as: "owner/vit")
        try scratch.writeImage("a.png")
    }

    private var weights: [UInt8] { get throws { try scratch.read("hub/owner/vit/model.safetensors") } }

    /// The cache has nothing under a name but what the hub has.
    private func expectSoundCache(of name: String = "owner/vit", isWhole: Bool) throws {
        let folder = "cache/models--" + name.split(separator: "/").joined(separator: "--")
        let snapshots = scratch.paths(below: folder + "/snapshots").filter { $0.contains("/") }
        for path in snapshots {
            let file = path.split(separator: "/").dropFirst().joined(separator: "/")
            #expect(try scratch.read("\(folder)/snapshots/\(path)") == scratch.read("hub/\(name)/\(file)"), "\(path)")
        }
        for blob in scratch.paths(below: folder + "/blobs") where !blob.hasSuffix(".incomplete") {
            let bytes = try scratch.read("\(folder)/blobs/\(blob)")
            #expect(blob.utf8.count == 40 || SHA256(of: bytes).hex == blob)
        }
        #expect(snapshots.contains { $0.hasSuffix("model.safetensors") } == isWhole)
        #expect(FileManager.default.fileExists(atPath: scratch.path(folder + "/refs/main")) == isWhole)
    }

    @Test func aModelIsFetchedOnceAndThenReadFromTheCache() throws {
        let local = try Vit.run(
            ["classify", "a.png", "--model", Fixtures.checkpoint("hf-vit"), "--format", "csv"], in: scratch)
        let server = try HubServer(in: scratch)
        for name in ["owner/vit", "hf:owner/vit", "hf-hub:owner/vit@v1", "owner/vit@main"] {
            let outcome = try server.run(["classify", "a.png", "--model", name, "--format", "csv"])
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.output == local.output)
        }
        try expectSoundCache(isWhole: true)
        let requests = try server.requests
        // The second revision is asked for; its files are in the cache.
        #expect(requests.filter { $0.path.hasPrefix("/api/models/") }.count == 2)
        #expect(requests.filter { $0.server == "store" }.count == 1)
        // Offline, and with a server that is not asked.
        for arguments in [["--offline"], []] {
            let outcome = try server.run(["classify", "a.png", "--model", "owner/vit", "--format", "csv"] + arguments)
            #expect(outcome.output == local.output)
        }
        #expect(try server.requests.count == requests.count)
    }

    @Test func linksBlobsAndReferencesAreThoseOfPython() throws {
        let server = try HubServer(in: scratch)
        #expect(try server.run(["models", "--download", "owner/vit", "--quiet"]).status == 0)
        let commit = String(decoding: try scratch.read("cache/models--owner--vit/refs/main"), as: UTF8.self)
        #expect(commit.count == 40)
        let link = try FileManager.default.destinationOfSymbolicLink(
            atPath: scratch.path("cache/models--owner--vit/snapshots/\(commit)/model.safetensors"))
        #expect(try link == "../../blobs/\(SHA256(of: weights).hex)")
        let lock = "cache/.locks/models--owner--vit/\(try SHA256(of: weights).hex).lock"
        #expect(FileManager.default.fileExists(atPath: scratch.path(lock)))
    }

    @Test func everyCommandTakesNames() throws {
        let server = try HubServer(in: scratch)
        let inspected = try server.run(["inspect", "owner/vit", "--format", "json"])
        #expect(inspected.status == 0 && inspected.output.contains("\"layout\""), "\(inspected.errors)")
        let converted = try server.run(["convert", "owner/vit", "--to", "timm", "--output", "timm"])
        #expect(converted.status == 0, "\(converted.errors)")
        let embedded = try server.run(["embed", "a.png", "--model", "owner/vit", "--output", "e.npy"])
        #expect(embedded.status == 0, "\(embedded.errors)")
        // What the index records leads to the model with its settings, not to the weights alone.
        let found = try server.run(["search", "e.npy", "a.png", "--offline"])
        #expect(found.status == 0 && found.output.contains("a.png"), "\(found.errors)")
        for folder in ["data/x", "data/y"] {
            for index in 0..<4 { try scratch.writeImage("\(folder)/\(index).png", seed: index) }
        }
        let plan = try server.run([
            "finetune", "data", "--output", "run", "--init", "owner/vit", "--plan", "--batch-size", "2",
        ])
        #expect(plan.status == 0, "\(plan.errors)")
    }

    @Test func theTokenGoesToTheHubAloneAndNowhereElse() throws {
        let token = "hf_secretOfATest"
        let server = try HubServer(in: scratch, ["token": token])
        let refused = try server.run(["inspect", "owner/vit"])
        #expect(
            refused.status == 66 && refused.errors.contains("or set HF_TOKEN if it is private"), "\(refused.errors)")
        let wrong = try server.run(["inspect", "owner/vit"], ["HF_TOKEN": "hf_other"])
        #expect(wrong.status == 66 && wrong.errors.contains("whether the token may read it"), "\(wrong.errors)")
        let withheld = try server.run(
            ["inspect", "owner/vit"], ["HF_TOKEN": token, "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"])
        #expect(withheld.status == 66)
        let malformed = try server.run(["inspect", "owner/vit"], ["HF_TOKEN": "hf_a\nurl = http://localhost"])
        #expect(
            malformed.status == 64 && malformed.errors.contains("HF_TOKEN: holds characters"), "\(malformed.errors)")
        // From a file, where no variable has it.
        try scratch.write(token + "\n", to: "home/token")
        let given = try server.run(["inspect", "owner/vit"])
        #expect(given.status == 0, "\(given.errors)")
        let requests = try server.requests
        #expect(requests.contains { $0.server == "store" })
        for request in requests where request.server == "store" { #expect(request.authorization == nil) }
        for outcome in [refused, wrong, withheld, malformed, given] {
            #expect(!(outcome.output + outcome.errors).contains("secretOfATest"))
        }
    }

    @Test func aTokenIsNeitherInArgumentsNorInTheEnvironmentOfTheProgram() throws {
        // A curl that writes down what anybody may see of a process.
        try scratch.write(
            "#!/bin/sh\nenv > \"$SEEN\"\necho \"$@\" >> \"$SEEN\"\ncat > \"$SEEN.input\"\nexit 7\n", to: "bin/curl")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: scratch.path("bin/curl"))
        let outcome = try Vit.run(
            ["inspect", "owner/vit"], in: scratch,
            environment: [
                "HF_HUB_OFFLINE": "0", "HF_TOKEN": "hf_secretOfATest", "SEEN": scratch.path("seen"),
                "PATH": scratch.path("bin") + ":/usr/bin:/bin",
            ])
        #expect(outcome.status == 74 && outcome.errors.contains("there is no connection to huggingface.co"))
        #expect(!String(decoding: try scratch.read("seen"), as: UTF8.self).contains("secretOfATest"))
        #expect(String(decoding: try scratch.read("seen.input"), as: UTF8.self).contains("Bearer hf_secretOfATest"))
    }

    @Test func withoutCurlTheSentenceSaysWhatToInstall() throws {
        let outcome = try Vit.run(
            ["inspect", "owner/vit"], in: scratch, environment: ["HF_HUB_OFFLINE": "0", "PATH": scratch.path("bin")])
        #expect(
            outcome.status == 74
                && outcome.errors.contains("curl, which makes the connection, is not in PATH; install it"))
        #expect(outcome.errorLines.count == 2)
    }

    // MARK: What is refused

    @Test(arguments: [
        ("hf:../vit", "no name of a model"), ("hf:owner//vit", "no name"), ("hf:/owner/vit", "no name"),
        ("hf:owner/vit/more", "no name"), ("hf:owner\\vit", "no name"), ("hf:owner/v\u{E9}", "no name"),
        ("hf:", "no name"), ("hf:owner/a--b", "no name"), ("owner/vit@", "no revision"),
        ("owner/vit@../main", "no revision"), ("owner/vit@a//b", "no revision"), ("owner/vit@a b", "no revision"),
    ])
    func malformedNamesEndWith64(name: String, words: String) throws {
        let outcome = try Vit.run(["inspect", name], in: scratch, environment: ["HF_HUB_OFFLINE": "0"])
        #expect(outcome.status == 64 && outcome.errors.contains(words), "\(outcome.errors)")
        #expect(outcome.errorLines.count == 1)
    }

    @Test(arguments: ["./owner/vit", "../a/b", "a/b/c", "owner/model.safetensors", "-/x", "runs/.x"])
    func pathsAreNoNames(path: String) throws {
        let outcome = try Vit.run(["inspect", "--", path], in: scratch, environment: ["HF_HUB_OFFLINE": "0"])
        #expect(outcome.status == 66 && outcome.errors.contains("no such checkpoint"), "\(outcome.errors)")
    }

    @Test(arguments: ["../../../etc/passwd", "a//b", "/etc/passwd", "a\\b", "x/./y", "a\u{1B}[2J"])
    func listsThatLeadElsewhereAreRefused(sibling: String) throws {
        let server = try HubServer(in: scratch, ["siblings": [sibling]])
        let outcome = try server.run(["inspect", "owner/vit"])
        #expect(
            outcome.status == 65 && outcome.errors.contains("which is refused: it leads elsewhere"), "\(outcome.errors)"
        )
        #expect(!outcome.errors.contains("\u{1B}"))
        #expect(scratch.paths(below: "cache").isEmpty)
    }

    @Test(arguments: ["../../x", "a/b", ".hidden", "a b"]) func namesOfContentThatLeadElsewhereAreRefused(etag: String)
        throws
    {
        let server = try HubServer(in: scratch, ["etag": etag])
        let outcome = try server.run(["inspect", "owner/vit"])
        #expect(
            outcome.status == 65 && outcome.errors.contains("states no ETag that could be a name"), "\(outcome.errors)")
        #expect(!scratch.paths(below: "cache").contains { $0.contains("hidden") })
    }

    @Test(arguments: ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://user@127.0.0.1/x", "nothing"])
    func redirectsToOtherThanTheWebAreRefused(location: String) throws {
        let server = try HubServer(in: scratch, ["location": location])
        let outcome = try server.run(["inspect", "owner/vit"])
        #expect(
            outcome.status == 74 && outcome.errors.contains("redirects to an address that is none"), "\(outcome.errors)"
        )
        try expectSoundCache(isWhole: false)
    }

    @Test func whatCannotBeReadIsRefusedBeforeItsWeightsAreFetched() throws {
        try scratch.write(#"{"model_type": "llama"}"#, to: "hub/owner/vit/config.json")
        let server = try HubServer(in: scratch)
        let outcome = try server.run(["inspect", "owner/vit"])
        #expect(
            outcome.status == 65 && outcome.errors.contains("config.json: describes a model of type llama; "),
            "\(outcome.errors)")
        #expect(try !server.requests.contains { $0.path.contains("model.safetensors") })
        try scratch.write(#"{"architecture": "resnet50"}"#, to: "hub/owner/net/config.json")
        try scratch.write("x", to: "hub/owner/net/model.safetensors")
        let other = try server.run(["inspect", "owner/net"])
        #expect(
            other.status == 65 && other.errors.contains("config.json: describes resnet50, which has"), "\(other.errors)"
        )
        #expect(try !server.requests.contains { $0.path.contains("model.safetensors") })
    }

    // MARK: Statuses

    @Test(
        arguments: [
            (["status": 404, "error_code": "RepoNotFound"], 66, "has no such model, or none for everybody"),
            (["status": 401], 66, "or set HF_TOKEN if it is private or gated"),
            (
                ["file_status": 403, "error_code": "GatedRepo"], 66,
                "is given only to those who accept its conditions: do so on http://127"
            ),
            (["file_status": 404], 66, "lists the file and does not have it"),
            (["failing": 100], 74, "failed (status 503); try again later"),
            (
                ["busy": 100, "retry_after": 0], 74,
                "answers no more requests for now (status 429); try again in 0 seconds"
            ),
            (["busy": 100, "retry_after": 900], 74, "(status 429); try again in 900 seconds, or set HF_TOKEN"),
            (["status": 418], 74, "answered with status 418"),
        ] as [([String: any Sendable], Int32, String)])
    func statusesAreSentences(faults: [String: any Sendable], status: Int32, words: String) throws {
        let server = try HubServer(in: scratch, faults)
        let outcome = try server.run(["inspect", "owner/vit", "--quiet"])
        #expect(outcome.status == status && outcome.errors.contains(words), "\(outcome.errors)")
        #expect(outcome.errorLines.count == 1 && outcome.output.isEmpty)
        try expectSoundCache(isWhole: false)
    }

    @Test func aMissingRevisionIsNamed() throws {
        let server = try HubServer(in: scratch)
        let revision = try server.run(["inspect", "owner/vit@v2", "--quiet"])
        #expect(
            revision.status == 66 && revision.errors.contains("there is no revision v2 of this model"),
            "\(revision.errors)")
        let model = try server.run(["inspect", "owner/other", "--quiet"])
        #expect(model.status == 66 && model.errors.contains("owner/other: 127.0.0.1"), "\(model.errors)")
    }

    @Test func busyServersAreAskedAgain() throws {
        let server = try HubServer(in: scratch, ["busy": 2, "retry_after": 1, "failing": 1])
        let outcome = try server.run(["inspect", "owner/vit", "--quiet"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        try expectSoundCache(isWhole: true)
    }

    @Test func withoutANetworkTheCacheServes() throws {
        let environment = [
            "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "0", "HF_HUB_CACHE": scratch.path("cache"),
        ]
        let nothing = try Vit.run(["inspect", "owner/vit", "--quiet"], in: scratch, environment: environment)
        #expect(
            nothing.status == 74 && nothing.errors.contains("owner/vit: there is no connection to 127.0.0.1:9"),
            "\(nothing.errors)")
        let forbidden = try Vit.run(["inspect", "owner/vit", "--offline"], in: scratch, environment: environment)
        #expect(
            forbidden.status == 66
                && forbidden.errors.contains("owner/vit: is not in the cache \(scratch.path("cache"))"))
        let server = try HubServer(in: scratch)
        #expect(try server.run(["inspect", "owner/vit"]).status == 0)
        let cached = try Vit.run(["inspect", "owner/vit"], in: scratch, environment: environment)
        #expect(cached.status == 0 && cached.errors.isEmpty)
        // Weights that Python fetched alone serve, too, where nobody can be asked for what describes them.
        let folder = "cache/models--owner--vit"
        let commit = String(decoding: try scratch.read(folder + "/refs/main"), as: UTF8.self)
        try FileManager.default.removeItem(
            atPath: scratch.path("\(folder)/snapshots/\(commit)/preprocessor_config.json"))
        let bare = try Vit.run(["inspect", "owner/vit"], in: scratch, environment: environment)
        #expect(bare.status == 0 && bare.errors.contains("is used as it is"), "\(bare.errors)")
        #expect(try server.run(["inspect", "owner/vit"]).status == 0)
        try expectSoundCache(isWhole: true)
    }
}
