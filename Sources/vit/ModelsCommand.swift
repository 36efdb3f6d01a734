import ArgumentParser
import Hub
import Models
import Support
import SwiftViT

struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "List the models that are here by name, or download some from the Hugging Face hub.",
        discussion: """
            Examples:
              vit models
              vit models --format json
              vit models --download google/vit-base-patch16-224
              vit models --download timm/vit_small_patch16_224.augreg_in21k_ft_in1k

            Listed are the local Hugging Face cache, which Python's huggingface_hub shares, and the folders of checkpoints. \
            --download fetches a model into the cache, or its newest commit where it is there already, and lists it alone.

            Variables of the environment: HF_HOME and HF_HUB_CACHE (the cache), HF_TOKEN or the file HF_TOKEN_PATH (for private and \
            gated models), HF_ENDPOINT (another hub), HF_HUB_OFFLINE=1 (never download). Downloads need the program curl.
            """)

    @Option(
        help: ArgumentHelp(
            "Download the model from the hub, or update it; may be given several times.",
            valueName: "owner/name[@revision]"))
    var download: [String] = []

    @Option(name: .shortAndLong, help: .format)
    var format = ResultFormat.text

    @OptionGroup var hub: HubOptions
    @OptionGroup var shared: SharedOptions

    func run() throws {
        Interruption.watch(removing: UnfinishedFiles())
        let models = try download.isEmpty ? all() : download.map(fetched)
        let output = StandardOutput()
        switch format {
        case .text: try output.write(text(models))
        case .json: try output.write(JSON.array(models.map(\.json)).text() + "\n")
        }
        try output.flush()
    }

    private func fetched(_ name: String) throws -> ListedModel {
        // Here, a name without owner can be no folder's.
        guard let reference = try HubReference(name.contains("/") ? name : "hf:\(name)") else {
            throw CommandFailure(
                .usage, "\(name): is no name of a model on the hub; OWNER/NAME or OWNER/NAME@REVISION was expected")
        }
        let path = try ModelLocation.fetch(reference, updates: true, hub: hub, isQuiet: shared.quiet)
        return ListedModel(name: reference.description, path: path)
    }

    private func all() throws -> [ListedModel] {
        let cached = try ModelHub(isOffline: true).cachedModels().map { model in
            ListedModel(name: model.reference.description, path: model.path, lacking: model.lacking)
        }
        return cached + ModelLocation.known.map { ListedModel(name: $0.name, path: $0.path) }
    }

    private func text(_ models: [ListedModel]) -> String {
        let table = TextTable(
            header: ["model", "family", "layout", "size"],
            rows: models.map { [$0.name, $0.family ?? "", $0.layout ?? "", $0.sizeText] })
        let unreadable = models.compactMap { model in model.obstacle.map { "  \(printable("\(model.name): \($0)"))\n" }
        }
        return table.text + (unreadable.isEmpty ? "" : "\nCannot be read\n" + unreadable.joined())
    }
}

/// A model as it is listed.
private struct ListedModel {
    let name: String
    let path: String
    let byteCount: Int
    private(set) var family: String?
    private(set) var layout: String?
    /// Why it cannot be read; nil where it can.
    private(set) var obstacle: String?

    /// - Parameter lacking: what is known to be missing.
    init(name: String, path: String, lacking: String? = nil) {
        self.name = name
        self.path = path
        byteCount = (try? Files.byteCount(inDirectory: path)) ?? 0
        do throws(CheckpointError) {
            try ModelFamilies.checkConfiguration(in: path)
            if let lacking {
                obstacle = "lacks \(lacking)"
            } else {
                let checkpoint = try Checkpoint.open(path)
                family = checkpoint.family.name
                layout = checkpoint.layout.rawValue
            }
        } catch {
            obstacle = error.path == path ? error.reason : "\(Files.name(of: error.path)) \(error.reason)"
        }
    }

    var sizeText: String {
        byteCount < 1_000_000 ? "\(fixed(Double(byteCount) / 1e3, 1)) kB" : "\(fixed(Double(byteCount) / 1e6, 1)) MB"
    }

    var json: JSON {
        .object([
            JSON.Member("name", .string(name)), JSON.Member("path", .string(path)),
            JSON.Member("family", family.map { .string($0) } ?? .null),
            JSON.Member("layout", layout.map { .string($0) } ?? .null), JSON.Member("bytes", .integer(byteCount)),
            JSON.Member("readable", .bool(obstacle == nil)),
            JSON.Member("obstacle", obstacle.map { .string($0) } ?? .null),
        ])
    }
}
