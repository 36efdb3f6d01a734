import ArgumentParser
import LibC
import Models
import Support

/// Resolves `--model`: a path, or the name of a folder under `checkpoints/`.
enum ModelLocation {
    /// The default checkpoint.
    static let builtIn = "charts-vit-tiny"

    /// Opens the checkpoint that `model` names.
    ///
    /// - Parameter weights: `--weights`.
    static func open(_ model: String, weights: WeightsOptions) throws -> Checkpoint {
        try Checkpoint.open(find(model), weights: weights.weights)
    }

    /// The path of the checkpoint that `model` names.
    ///
    /// An existing path is returned as it is. A bare name is looked up in `$VIT_CHECKPOINTS`, in `./checkpoints`, beside
    /// the executable, and in the package that it was built from.
    static func find(_ model: String) throws -> String {
        if try Files.kind(of: model) != .missing { return model }
        guard !model.isEmpty, !model.contains("/") else {
            throw CommandFailure(
                .noSuchInput, "\(model): no such checkpoint; name a directory or a weights file")
        }
        let folders = folders
        for folder in folders {
            let path = Files.join(folder, model)
            if try Files.kind(of: path) != .missing { return path }
        }
        let known = Set(folders.flatMap { folder in names(in: folder) }).sorted()
        let advice =
            known.isEmpty
            ? "no checkpoint folder was found; set VIT_CHECKPOINTS to one, or name a directory or a weights file"
            : "known by name: \(known.joined(separator: ", ")); or name a directory or a weights file"
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
        if let stated = unsafe getenv("VIT_CHECKPOINTS") { folders.append(unsafe Files.text(ofName: stated)) }
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
