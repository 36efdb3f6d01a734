import ArgumentParser
import Hub
import LibC
import Models
import Support
import SwiftViT

/// Resolves `--model`: a path, the name of a folder under `checkpoints/`, or a name on the Hugging Face hub.
enum ModelLocation {
    /// The default checkpoint.
    static let builtIn = "charts-vit-tiny"

    /// Opens the checkpoint that `model` names.
    ///
    /// - Parameters:
    ///   - weights: `--weights`.
    ///   - isQuiet: whether a download is not reported.
    static func open(_ model: String, weights: WeightsOptions, isQuiet: Bool) throws -> Checkpoint {
        try Checkpoint.open(find(model, hub: weights.hub, isQuiet: isQuiet), weights: weights.weights)
    }

    /// The path of the checkpoint that `model` names.
    ///
    /// An existing path is returned as it is. A bare name is looked up in `$VIT_CHECKPOINTS`, in `./checkpoints`, beside
    /// the executable, and in the package that it was built from; `OWNER/NAME` in the cache of the hub, and then on the hub.
    static func find(_ model: String, hub: HubOptions, isQuiet: Bool) throws -> String {
        if !HubReference.hasScheme(model), try Files.kind(of: model) != .missing { return model }
        if let reference = try HubReference(model) { return try fetch(reference, hub: hub, isQuiet: isQuiet) }
        guard !model.isEmpty, !model.contains("/") else {
            throw CommandFailure(
                .noSuchInput,
                "\(model): no such checkpoint; name a directory, a weights file, or a model on the hub as OWNER/NAME")
        }
        return try findFolder(model)
    }

    /// The directory of a model of the hub; with `updates`, a newer commit of it where there is one.
    static func fetch(
        _ reference: HubReference, updates: Bool = false, hub: HubOptions, isQuiet: Bool
    ) throws -> String {
        let progress = DownloadProgress(isShown: !isQuiet)
        defer { progress.clear() }
        return try ModelHub(isOffline: hub.offline).directory(of: reference, updates: updates) { progress.take($0) }
    }

    /// Every checkpoint that is known by name: its name, and its path.
    static var known: [(name: String, path: String)] {
        var found: [(name: String, path: String)] = []
        for folder in folders {
            for name in names(in: folder) where !found.contains(where: { $0.name == name }) {
                found.append((name, Files.join(folder, name)))
            }
        }
        return found.sorted { $0.name.precedesBytewise($1.name) }
    }

    private static func findFolder(_ model: String) throws -> String {
        let folders = folders
        for folder in folders {
            let path = Files.join(folder, model)
            if try Files.kind(of: path) != .missing { return path }
        }
        let known = known.map(\.name)
        let others = "name a directory, a weights file, or a model on the hub as OWNER/NAME"
        let advice =
            known.isEmpty
            ? "no checkpoint folder was found; set VIT_CHECKPOINTS to one, or \(others)"
            : "known by name: \(known.joined(separator: ", ")); or \(others)"
        throw CommandFailure(.noSuchInput, "\(model): no such checkpoint; \(advice)")
    }

    /// The folders in `folder` that hold a checkpoint, judging by their file names, as far as they can be listed.
    private static func names(in folder: String) -> [String] {
        ((try? Files.names(in: folder)) ?? []).filter { name in
            let files = (try? Files.names(in: Files.join(folder, name))) ?? []
            return files.contains { $0 == "config.json" || $0.hasSuffix(".safetensors") || $0.hasSuffix(".pth") }
        }
    }

    /// Where checkpoints are looked up by name.
    private static var folders: [String] {
        var folders: [String] = []
        if let stated = Environment.value("VIT_CHECKPOINTS") { folders.append(stated) }
        folders.append("checkpoints")
        let home = Files.directory(of: executable)
        folders.append(Files.join(home, "checkpoints"))
        folders.append(Files.join(Files.directory(of: home), "share/swift-vit/checkpoints"))
        if let built = home.firstRange(of: "/.build/") {
            folders.append(Files.join(String(home[..<built.lowerBound]), "checkpoints"))
        }
        return folders
    }

    /// The path of this program, links resolved.
    private static var executable: String {
        let path = unsafe [UInt8](unsafeUninitializedCapacity: Int(PATH_MAX)) { buffer, count in
            let length = unsafe buffer.withMemoryRebound(to: CChar.self) {
                unsafe $0.baseAddress.map { unsafe readlink("/proc/self/exe", $0, Int(PATH_MAX)) } ?? 0
            }
            count = max(0, length)
        }
        return Files.text(ofName: path)
    }
}
