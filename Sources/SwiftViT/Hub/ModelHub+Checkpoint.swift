import Hub
import Models
import Support

extension ModelHub {
    /// The directory with the files of a model, for `Checkpoint.open`: those in the cache at once, without asking the hub,
    /// else fetched into it. A model of a kind that this package does not read is refused before its weights are fetched.
    ///
    /// - Parameters:
    ///   - updates: whether the hub is asked for a newer commit in any case.
    ///   - observe: takes what happens while files are fetched.
    public func directory(
        of reference: HubReference, updates: Bool = false, observe: @escaping (Event) -> Void = { _ in }
    ) throws(HubError) -> String {
        try directory(
            of: reference, updates: updates,
            check: { directory throws(FileError) in try ModelFamilies.checkConfiguration(in: directory) },
            observe: observe)
    }
}

extension Checkpoint {
    /// Opens a model of the Hugging Face hub: from the local cache, else fetched into it; see `ModelHub`.
    ///
    /// - Parameters:
    ///   - name: `OWNER/NAME[@REVISION]`.
    ///   - weights: which model to read of a file with several; see `open(_:weights:)`.
    ///   - isOffline: whether nothing may be fetched.
    ///
    /// Errors: `HubError` where it cannot be had, `CheckpointError` where it cannot be read.
    public static func open(
        fromHub name: String, weights: String? = nil, isOffline: Bool = false
    ) throws -> Checkpoint {
        guard let reference = try HubReference(name) else {
            throw HubError(
                .usage, name, "is no name of a model on the hub; OWNER/NAME or OWNER/NAME@REVISION was expected")
        }
        return try open(ModelHub(isOffline: isOffline).directory(of: reference), weights: weights)
    }
}
