import ArgumentParser
import Checkpoints

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Where `--model` leads: a path, or the name of a folder under `checkpoints/`.
enum ModelLocation {
    /// The checkpoint that is used where none is named.
    static let builtIn = "charts-vit-tiny"

    /// The path of the checkpoint that `model` stands for.
    ///
    /// A path that exists is meant as it is. A bare name is looked up where the environment's `VIT_CHECKPOINTS` says, in
    /// `./checkpoints`, and in the `checkpoints` folders beside the executable and above it.
    static func find(_ model: String) throws -> String {
        if Files.sort(model) != .missing { return model }
        guard !model.isEmpty, !model.contains("/") else {
            throw CommandFailure(.noSuchInput, "\(model): there is no such checkpoint; name a directory or a weights file")
        }
        let folders = folders
        for folder in folders {
            let path = Files.join(folder, model)
            if Files.sort(path) != .missing { return path }
        }
        let known = Set(folders.flatMap { folder in names(in: folder) }).sorted()
        let advice =
            known.isEmpty
            ? "no folder of checkpoints was found; set VIT_CHECKPOINTS to one, or name a directory or a weights file"
            : "known by name: \(known.joined(separator: ", ")); else name a directory or a weights file"
        throw CommandFailure(.noSuchInput, "\(model): there is no such checkpoint; \(advice)")
    }

    private static func names(in folder: String) -> [String] {
        Files.names(in: folder).filter { Files.sort(Files.join(folder, $0)) == .directory }
    }

    private static var folders: [String] {
        var folders: [String] = []
        if let stated = unsafe getenv("VIT_CHECKPOINTS") { folders.append(unsafe String(cString: stated)) }
        folders.append("checkpoints")
        var above = Files.directory(of: executable)
        while above.hasPrefix("/") {
            folders.append(Files.join(above, "checkpoints"))
            if above == "/" { break }
            above = Files.directory(of: above)
        }
        return folders
    }

    /// The path of this program, links followed.
    private static var executable: String {
        let path = unsafe [UInt8](unsafeUninitializedCapacity: Int(PATH_MAX)) { buffer, count in
            let length = unsafe buffer.withMemoryRebound(to: CChar.self) {
                unsafe $0.baseAddress.map { unsafe readlink("/proc/self/exe", $0, Int(PATH_MAX)) } ?? 0
            }
            count = max(0, length)
        }
        return String(decoding: path, as: UTF8.self)
    }
}
