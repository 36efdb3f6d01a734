import Randomness
import Support

/// A fingerprint of a data set's names, labels, sizes and dates, to detect changes since a run began.
///
/// No image is read. A copy with new dates differs, too, because otherwise a changed image of the same size would go
/// unnoticed.
public struct DataFingerprint: Codable, Equatable, Sendable {
    /// The number of training and validation images.
    public let images: Int
    /// The total size of their files.
    public let bytes: Int
    /// A hash of the classes and of each image's part, path, label and size, in order.
    public let content: String
    /// A hash of the files' modification times, in order.
    public let dates: String

    /// Takes the fingerprint of the training and validation parts. A file that is missing counts as one without a size.
    ///
    /// Errors: `FileError` where the system cannot say what a file is: another fingerprint would be another data set's.
    public init(of dataset: ImageDataset) throws(FileError) {
        var content = StableHash()
        var dates = StableHash()
        var bytes = 0
        for name in dataset.classes {
            content.combine(name.utf8)
            content.combine([0])
        }
        for part in [ImageDataset.Part.training, .validation] {
            content.combine(part.rawValue.utf8)
            for sample in dataset.samples(part) {
                let status = try dataset.status(of: sample)
                content.combine(sample.path.utf8)
                content.combine([0])
                content.combine(UInt64(bitPattern: Int64(sample.label ?? -1)))
                content.combine(UInt64(bitPattern: Int64(status?.byteCount ?? -1)))
                dates.combine(UInt64(bitPattern: status?.modified ?? 0))
                bytes += status?.byteCount ?? 0
            }
        }
        images = dataset.training.count + dataset.validation.count
        self.bytes = bytes
        self.content = Self.hex(content.value)
        self.dates = Self.hex(dates.value)
    }

    /// What has changed since `earlier`, as a clause ("has 12 images, 10 when the run began"); nil if nothing has.
    public func change(since earlier: DataFingerprint) -> String? {
        if images != earlier.images { return "has \(images) images, \(earlier.images) when the run began" }
        if bytes != earlier.bytes { return "has \(bytes) bytes in its images, \(earlier.bytes) when the run began" }
        if content != earlier.content { return "has other names, labels or sizes than when the run began" }
        if dates != earlier.dates { return "has files that were changed since the run began" }
        return nil
    }

    private static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}

extension ImageDataset {
    /// The size of a sample's file and the time of its last change, which is that of its archive; nil where there is none.
    fileprivate func status(of sample: Sample) throws(FileError) -> (byteCount: Int, modified: Int64)? {
        if case .member(let member) = input(of: sample) {
            return (member.byteCount, member.archive.status.modified)
        }
        return try Files.statusIfAny(file(of: sample)).map { ($0.byteCount, $0.modified) }
    }
}

extension DataFingerprint {
    /// The fingerprint that a run recorded.
    package init(images: Int, bytes: Int, content: String, dates: String) {
        self.images = images
        self.bytes = bytes
        self.content = content
        self.dates = dates
    }
}
