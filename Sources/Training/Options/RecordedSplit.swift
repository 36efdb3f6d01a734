import Datasets
import Support

/// How a run split its data: what to hold out where its model is measured on the same data.
public struct RecordedSplit: Sendable {
    /// The folder of the run.
    public let run: String
    private let data: String
    private let fraction: Double
    private let holdsOutBesideTest: Bool
    private let seed: UInt64

    /// The split of the run that the checkpoint at `path` belongs to, as its result, one of its checkpoints or the weights
    /// of one; nil where it belongs to no run. Errors: `FileError`.
    public init?(ofModelAt path: String) throws {
        var folder = try Files.resolved(path)
        for _ in 0..<4 {
            if let json = try JSON.readable(Files.join(folder, "config.json")), let data = json["data"]?.string,
                let fraction = json["validation_fraction"]?.double,
                let seed = json["seed"]?.string.flatMap({ UInt64($0) })
            {
                run = folder
                self.data = data
                self.fraction = fraction
                self.seed = seed
                // Earlier versions held nothing out beside a test part, and do not say so.
                holdsOutBesideTest = json["holdout_beside_test"]?.bool ?? false
                return
            }
            folder = Files.directory(of: folder)
        }
        return nil
    }

    /// Whether the run was trained on the set at `path`. A relative path in the record may begin here or in any folder around
    /// the run. Errors: `FileError`.
    public func isOf(dataAt path: String) throws -> Bool {
        let wanted = try Files.resolved(path)
        if try Files.resolved(data) == wanted { return true }
        var folder = Files.directory(of: run)
        while !folder.isEmpty, data.utf8.first != UInt8(ascii: "/") {
            if try Files.resolved(Files.join(folder, data)) == wanted { return true }
            if folder == "/" { break }
            folder = Files.directory(of: folder)
        }
        return false
    }

    /// Splits a set as the run did.
    public func apply(to options: inout ImageDataset.Options) {
        options.validationFraction = fraction
        options.holdsOutBesideTest = holdsOutBesideTest
        options.seed = seed
    }

    /// The number of `samples` that the run was trained on. Errors: `InputError`.
    public func trainedCount(among samples: [ImageDataset.Sample], of path: String) throws(InputError) -> Int {
        var options = ImageDataset.Options()
        apply(to: &options)
        let trained = try Set(ImageDataset(at: path, options: options).training.map { BytewiseText($0.path) })
        return samples.count { trained.contains(BytewiseText($0.path)) }
    }
}
