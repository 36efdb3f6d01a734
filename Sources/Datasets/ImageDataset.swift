import Imaging
import Randomness
import Support

/// Images on disk or in tar archives, labelled or not, in a training, a validation and a test part.
///
/// Read from `DATA/CLASS/…`, from `DATA/train/CLASS/…` with `DATA/val/CLASS/…` (or `test`), from a table `DATA.csv` with
/// columns `path,label[,split]`, or, without labels, from any folder. A tar archive may stand for a folder, and so may several
/// (`shard-{000..127}.tar`, `@LIST`, a folder of them). Only the paths are kept; no image is opened.
public struct ImageDataset: Sendable {
    /// An image of the set.
    public struct Sample: Sendable, Equatable {
        /// The file, relative to the set's root.
        public let path: String
        /// The class, as an index into the set's `classes`; nil if the set has no labels.
        public var label: Int? { code < 0 ? nil : Int(code) }

        private let code: Int32

        /// An image and its class.
        public init(path: String, label: Int?) {
            self.path = path
            code = label.map { Int32($0) } ?? -1
        }
    }

    /// The parts of a set.
    public enum Part: String, Sendable, CaseIterable {
        /// For training the model.
        case training
        /// For monitoring the training.
        case validation
        /// For evaluating the result.
        case test
    }

    /// The options for reading a set.
    public struct Options: Sendable {
        /// Whether every image needs a label.
        public var requiresLabels = true
        /// The fraction of the training images, in 0 ..< 1, that becomes the validation part if the set has none.
        ///
        /// A hash of the path and the seed decides for each image, so that the choice does not change when others are added;
        /// the fraction is therefore approximate.
        public var validationFraction = 0.0
        /// Whether that is also done where there is a test part, which is for evaluation, but none for validation.
        public var holdsOutBesideTest = true
        /// The seed of that hash.
        public var seed: UInt64 = 0
        /// The classes of a model, in its order, to which the set is limited; nil: the set's own classes.
        public var classes: [String]?

        /// Requires labels and splits nothing off.
        public init() {}
    }

    /// The folder that the paths are relative to; in an archive, the path of that, and of the folder in it.
    public let root: String
    /// The names of the classes, sorted bytewise unless given by a model.
    public let classes: [String]
    /// The training images, sorted by path, or in the order of the table.
    public let training: [Sample]
    /// The validation images.
    public let validation: [Sample]
    /// The test images.
    public let test: [Sample]
    /// Remarks on how the set was read, one sentence each.
    public let notes: [String]

    let archives: Archives

    /// Reads the set at `path`: a folder, one or more archives, or a table.
    ///
    /// Errors: `InputError`, whose message names the folder or the line of the table.
    public init(at path: String, options: Options = .init()) throws(InputError) {
        guard (0..<1).contains(options.validationFraction) else {
            throw InputError(
                kind: .usage, path: path,
                description: "the validation fraction is \(options.validationFraction); expected 0 or more and below 1")
        }
        let archives = Archives()
        let source = try DatasetSource(path, requiresLabels: options.requiresLabels, archives: archives)
        var builder = DatasetBuilder(source, place: path, options: options, archives: archives)
        switch source {
        case .folder(let folder): try builder.readFolder(folder)
        case .archives(let folder): try builder.readFolder(folder)
        case .table: try builder.readTable()
        }
        try builder.finish()
        root = builder.root
        self.archives = archives
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

    /// The part to evaluate by default: test, else validation, else all images.
    public var evaluationPart: Part { !test.isEmpty ? .test : !validation.isEmpty ? .validation : .training }

    /// The path of a sample's file; in an archive, that of the archive, a slash, and the member's name.
    public func file(of sample: Sample) -> String { Self.file(sample.path, in: root) }

    /// A sample's file, wherever it lies.
    public func input(of sample: Sample) -> InputPaths.Input {
        let path = file(of: sample)
        return archives.member(path).map { .member($0) } ?? .file(path)
    }

    /// The content of a sample's file; of one that is neither PNG nor JPEG, only the beginning.
    package func imageBytes(of sample: Sample) throws(ImageError) -> [UInt8] {
        let path = file(of: sample)
        if let member = archives.member(path) { return try member.imageBytes() }
        return try Image.bytes(ofFile: path)
    }

    static func file(_ path: String, in root: String) -> String {
        path.utf8.first == UInt8(ascii: "/") ? path : Files.join(root, path)
    }

    /// Whether the image at `path`, relative to the set's root, belongs to the validation part.
    static func isValidation(_ path: String, fraction: Double, seed: UInt64) -> Bool {
        var hash = StableHash(seed: seed)
        hash.combine(path.utf8)
        return Double(hash.value >> 11) * 0x1p-53 < fraction
    }
}
