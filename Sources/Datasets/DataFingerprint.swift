import Randomness
import Support

/// What tells that a data set is still the one that a run began with: its names, labels, sizes and dates, in short.
///
/// No image is read. A set that was copied with new dates differs too, because a changed image of the same size could
/// not be told from it otherwise.
public struct DataFingerprint: Codable, Equatable, Sendable {
    /// How many images there are to train on and to validate with.
    public let images: Int
    /// The sum of their files' sizes.
    public let bytes: Int
    /// A hash of the classes and of each image's part, path, label and size, in order.
    public let content: String
    /// A hash of the files' dates of change, in order.
    public let dates: String

    /// Looks at every file of the training and validation parts.
    public init(of dataset: ImageDataset) {
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
                let status = try? Files.status(dataset.file(of: sample))
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

    /// What has changed since `earlier`, as the end of a sentence ("… has 12 images, 10 when the run began"); nil if
    /// nothing has.
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

extension DataFingerprint {
    /// The fingerprint that a run kept.
    package init(images: Int, bytes: Int, content: String, dates: String) {
        self.images = images
        self.bytes = bytes
        self.content = content
        self.dates = dates
    }
}
