import Randomness
import Support

/// Images on disk, with labels or without, in a training, a validation and a test part.
///
/// Read from `DATA/CLASS/…`, from `DATA/train/CLASS/…` with `DATA/val/CLASS/…` (or `test`), from a table `DATA.csv` with
/// columns `path,label[,split]`, or, without labels, from any folder. Only the names are held; no image is opened.
public struct ImageDataset: Sendable {
    /// An image of the set.
    public struct Sample: Sendable, Equatable {
        /// The file, relative to the set's root.
        public let path: String
        /// The class, as an index into the set's `classes`; nil where the set has no labels.
        public var label: Int? { code < 0 ? nil : Int(code) }

        private let code: Int32

        /// An image and its class.
        public init(path: String, label: Int?) {
            self.path = path
            code = label.map { Int32($0) } ?? -1
        }
    }

    /// What a sample is for.
    public enum Part: String, Sendable, CaseIterable {
        /// The model learns from it.
        case training
        /// It watches over the training.
        case validation
        /// It measures the result.
        case test
    }

    /// How a set is read.
    public struct Options: Sendable {
        /// Whether every image needs a label.
        public var requiresLabels = true
        /// The part of the training images, in 0 ..< 1, that becomes the validation part where the set has none.
        ///
        /// An image goes there if a hash of its path and the seed says so: the same images whatever else is added to
        /// the set, and about this fraction of them rather than exactly.
        public var validationFraction = 0.0
        /// The seed of that hash.
        public var seed: UInt64 = 0
        /// The classes of a model, in its order, which the set must not go beyond; nil: the set's own.
        public var classes: [String]?

        /// Labels are required; nothing is split off.
        public init() {}
    }

    /// The folder that the paths are relative to.
    public let root: String
    /// The names of the classes; their own order is that of their bytes.
    public let classes: [String]
    /// The images to learn from, sorted by path, or as the table lists them.
    public let training: [Sample]
    /// The images that watch over the training.
    public let validation: [Sample]
    /// The images that measure the result.
    public let test: [Sample]
    /// What a person should know about how the set was read, one sentence each.
    public let notes: [String]

    /// Reads the set at `path`: a folder or a table.
    ///
    /// Errors: `InputError`, with a sentence that names the folder or the line of the table.
    public init(at path: String, options: Options = .init()) throws(InputError) {
        guard (0..<1).contains(options.validationFraction) else {
            throw InputError(
                kind: .usage, path: path,
                description: "the validation fraction is \(options.validationFraction); expected 0 or more and below 1")
        }
        let isDirectory: Bool
        do {
            isDirectory = try Files.status(path).isDirectory
        } catch {
            throw InputError(error, opening: path, expected: "a folder of images or a CSV table")
        }
        let root = isDirectory ? Files.withoutTrailingSlashes(path) : Self.folder(of: path)
        var builder = DatasetBuilder(place: path, root: root, options: options)
        if isDirectory { try builder.readFolder() } else { try builder.readTable() }
        try builder.finish()
        self.root = root
        classes = builder.classes
        training = builder.samples[.training] ?? []
        validation = builder.samples[.validation] ?? []
        test = builder.samples[.test] ?? []
        notes = builder.notes
    }

    /// The images of a part.
    public func samples(_ part: Part) -> [Sample] {
        switch part {
        case .training: training
        case .validation: validation
        case .test: test
        }
    }

    /// The part that an evaluation is about: test, else validation, else all there is.
    public var evaluationPart: Part { !test.isEmpty ? .test : !validation.isEmpty ? .validation : .training }

    /// Where a sample's file is.
    public func file(of sample: Sample) -> String { Self.file(sample.path, in: root) }

    /// The folder of a table; "." for the current one.
    private static func folder(of table: String) -> String {
        let folder = Files.directory(of: table)
        return folder.isEmpty ? "." : folder
    }

    static func file(_ path: String, in root: String) -> String {
        path.utf8.first == UInt8(ascii: "/") ? path : Files.join(root, path)
    }

    /// Whether the image at `path`, relative to the set's root, falls into the validation part.
    static func isValidation(_ path: String, fraction: Double, seed: UInt64) -> Bool {
        var hash = StableHash(seed: seed)
        hash.combine(path.utf8)
        return Double(hash.value >> 11) * 0x1p-53 < fraction
    }
}
