import Support

/// The Hugging Face hub and its local cache, which Python's `huggingface_hub` shares.
///
/// Where things are and what may be done follows the variables of the environment that it reads: `HF_HOME`, `HF_HUB_CACHE`,
/// `HF_ENDPOINT`, `HF_TOKEN` and the file of the token, `HF_HUB_OFFLINE`.
public struct ModelHub: Sendable {
    /// What happens while a model is fetched.
    public enum Event: Sendable {
        /// Fetching begins; `cache` is the directory that it goes to.
        case starts(model: String, cache: String)
        /// So many bytes of a file are there; `total` is nil where nobody states it.
        case progress(file: String, done: Int, total: Int?)
        /// Why it takes longer, in a sentence without full stop.
        case note(String)
    }

    /// A model in the cache.
    public struct CachedModel: Sendable {
        /// Its name.
        public let reference: HubReference
        /// The directory of its files.
        public let path: String
        /// The bytes of all its files.
        public let byteCount: Int
        /// What it lacks to be read; nil where it lacks nothing.
        public let lacking: String?
    }

    private let settings: HubSettings

    /// The files that describe a model, by which one in the cache is known to be whole.
    static let describingNames = ["config.json", "preprocessor_config.json"]

    /// The hub as the environment describes it.
    ///
    /// - Parameter isOffline: whether nothing may be fetched, as `HF_HUB_OFFLINE=1` says, too.
    public init(isOffline: Bool = false) { settings = HubSettings(isOffline: isOffline) }

    /// The directory of the cache.
    public var cache: String { settings.cache }

    /// The directory with the files of a model: those in the cache at once, without asking the hub, else fetched into it.
    ///
    /// - Parameters:
    ///   - updates: whether the hub is asked for a newer commit in any case.
    ///   - check: throws where the model whose settings are in a directory cannot be read; called before its weights are
    ///     fetched.
    package func directory(
        of reference: HubReference, updates: Bool = false,
        check: @escaping (_ directory: String) throws(FileError) -> Void,
        observe: @escaping (Event) -> Void = { _ in }
    ) throws(HubError) -> String {
        let cache = RepositoryCache(reference, in: settings.cache)
        let found = try find(reference, in: cache)
        if let found, found.isWhole, !updates { return found.path }
        guard !settings.isOffline else {
            if let found, found.lacking == nil, !updates { return found.path }
            throw offlineError(reference, found, updates: updates)
        }
        do throws(HubError) {
            // Weights that are here are not exchanged for newer ones unasked.
            let completed = updates || found?.lacking != nil ? nil : found?.commit
            let download = ModelDownload(
                client: try client(observe), cache: cache, reference: reference,
                revision: completed ?? reference.revision, check: check, observe: observe)
            observe(.starts(model: reference.description, cache: settings.cache))
            return try download.run(needsWeights: completed == nil)
        } catch {
            // What Python fetched without all files that describe it serves where the hub cannot be asked for the others.
            guard let found, found.lacking == nil, !updates, [.inputOutput, .missing].contains(error.kind) else {
                throw error
            }
            observe(.note("\(error); \(found.path) is used as it is"))
            return found.path
        }
    }

    private func offlineError(_ reference: HubReference, _ found: Found?, updates: Bool) -> HubError {
        guard !updates else {
            return HubError(
                .missing, reference.description,
                "is not fetched, since --offline or HF_HUB_OFFLINE forbids it; run the command without them")
        }
        return HubError(
            .missing, reference.description,
            "\(found?.lacking.map { "lacks \($0)" } ?? "is not") in the cache \(settings.cache), and --offline or HF_HUB_OFFLINE "
                + "forbids fetching it; without them, vit models --download \(reference) does")
    }

    private func client(_ observe: @escaping (Event) -> Void) throws(HubError) -> WebClient {
        WebClient(
            endpoint: try settings.endpoint(), token: try settings.token(), connectTimeout: settings.connectTimeout,
            stallTimeout: settings.stallTimeout, note: { observe(.note($0)) })
    }

    private struct Found {
        let commit: String
        let path: String
        /// What it lacks to be read.
        let lacking: String?
        /// Whether the files that describe it are there, too, or known not to exist.
        let isWhole: Bool
    }

    private func find(_ reference: HubReference, in cache: RepositoryCache) throws(HubError) -> Found? {
        guard let commit = try cache.commit(of: reference.revision) else { return nil }
        let path = cache.snapshot(commit)
        guard !Files.isMissing(path) else { return nil }
        let lacking = try FileSelection.lacking(in: path)
        let isDescribed = Self.describingNames.allSatisfy { name in
            !Files.isMissing(Files.join(path, name)) || cache.isAbsent(name, commit) || Self.isNeedless(name, in: path)
        }
        return Found(commit: commit, path: path, lacking: lacking, isWhole: lacking == nil && isDescribed)
    }

    /// Whether nothing is missing without a file: transformers alone describes the preprocessing in another than config.json.
    private static func isNeedless(_ name: String, in directory: String) -> Bool {
        if !Files.isMissing(Files.join(directory, "open_clip_config.json")) { return true }
        if name == "config.json" { return false }
        if !Files.isMissing(Files.join(directory, "processor_config.json")) { return true }
        let configuration = try? JSON.file(Files.join(directory, "config.json"))
        return configuration.map { $0["model_type"] == nil } ?? false
    }

    /// The models in the cache, sorted by name.
    public func cachedModels() throws(HubError) -> [CachedModel] {
        var models: [CachedModel] = []
        let folders = try HubError.onFiles { () throws(FileError) in try Files.names(in: settings.cache) }
        for folder in folders {
            guard let (owner, name) = RepositoryCache.model(ofFolder: folder) else { continue }
            let cache = RepositoryCache(HubReference(owner: owner, name: name, revision: ""), in: settings.cache)
            for (revision, commit) in try cache.revisions() {
                let path = cache.snapshot(commit)
                let byteCount = try HubError.onFiles { () throws(FileError) in
                    try Files.byteCount(inDirectory: path)
                }
                models.append(
                    CachedModel(
                        reference: HubReference(owner: owner, name: name, revision: revision), path: path,
                        byteCount: byteCount,
                        lacking: Self.lacking(in: path)))
            }
        }
        return models
    }

    private static func lacking(in directory: String) -> String? {
        do throws(HubError) {
            return try FileSelection.lacking(in: directory)
        } catch {
            return error.reason
        }
    }
}
