import Compute
import Datasets
import Imaging
import Models
import Randomness
import Support

/// Everything that determines the numbers of an embedding file; kept beside it.
package struct EmbeddingSettings: Sendable {
    /// The settings by name.
    package let json: JSON

    /// Names of settings, and how messages call them.
    private static let decisive: [(name: String, words: String)] = [
        ("inputs", "list of images"), ("shard", "--shard"),
    ]

    /// Names of settings that determine the embedding of an image.
    private static let numeric: [(name: String, words: String)] = [
        ("pooling", "--pool"), ("layer", "--layer"), ("l2", "--l2"), ("dtype", "--dtype"), ("shape", "shape of a row"),
        ("preprocessing", "preprocessing"), ("fast_decode", "--fast-decode"), ("precision", "--precision"),
    ]

    /// The settings of a file with `embedder`'s embeddings of `inputs`, which are paths, or texts that are comparable with
    /// images so embedded.
    ///
    /// - Parameter textProbe: the fingerprint of the text tower that the rows are comparable with; nil: there is none.
    init(
        _ embedder: ImageEmbedder, rows: EmbeddingRowKind = .image, inputs: some Collection<String>, shard: String?,
        element: NumPyMatrix.Element, textProbe: [Float]? = nil
    ) throws {
        var paths = StableHash()
        for input in inputs {
            paths.combine(input.utf8)
            paths.combine([0])
        }
        // Absent if it is off, as in files from before the option existed.
        let reducesScale = embedder.options.decoding.reducesScale
        let fastDecode = reducesScale ? [JSON.Member("fast_decode", .bool(true))] : []
        let members = [
            JSON.Member("model", .string(try Self.place(of: embedder.checkpoint))),
            JSON.Member("pooling", .string(embedder.pooling.rawValue)),
            JSON.Member("layer", embedder.options.layer.map { .integer($0) } ?? .null),
            JSON.Member("l2", .bool(embedder.options.isNormalized)), JSON.Member("dtype", .string("\(element)")),
            JSON.Member("shape", .array(embedder.shape.map { .integer($0) })),
            JSON.Member("image_size", embedder.configuration.imageSize.json),
            JSON.Member("preprocessing", embedder.preprocessing.json),
            JSON.Member("shard", shard.map { .string($0) } ?? .null),
            JSON.Member(
                "inputs",
                .object([
                    JSON.Member("count", .integer(inputs.count)),
                    JSON.Member("paths_hash", .string(String(paths.value, radix: 16))),
                ])),
            // Where relative paths of the index begin.
            JSON.Member("directory", .string(try Files.resolved("."))),
            JSON.Member("probe", .array(try Self.probe(embedder).map { .number(Double($0)) })),
        ]
        let precision = embedder.options.precision
        let rounded = precision == .float32 ? [] : [JSON.Member("precision", .string(precision.rawValue))]
        let kind = rows == .image ? [] : [JSON.Member("rows_are", .string(rows.column))]
        let probe = textProbe.map { JSON.Member("text_probe", .array($0.map { .number(Double($0)) })) }
        json = .object(members + fastDecode + rounded + kind + (probe.map { [$0] } ?? []))
    }

    /// Where a checkpoint lies, from the root. Its weights may be a link to a file that lies apart from the configuration, as
    /// in the cache of the hub; that one is not followed.
    private static func place(of checkpoint: Checkpoint) throws -> String {
        let directory = Files.directory(of: checkpoint.path)
        return Files.join(try Files.resolved(directory.isEmpty ? "." : directory), Files.name(of: checkpoint.path))
    }

    /// The settings in a line of text; nil for other text.
    init?(_ line: String) {
        guard let json = try? JSON.parse(Array(line.utf8)), json["inputs"]?["count"]?.integer != nil else { return nil }
        self.json = json
    }

    /// The settings in a file.
    package init(contentsOfFile path: String) throws {
        json = try JSON.file(path)
        guard json["inputs"]?["count"]?.integer != nil else {
            throw InputError.malformed(path, "does not hold the settings that vit embed writes beside its output")
        }
    }

    /// The number of inputs.
    var inputCount: Int { json["inputs"]?["count"]?.integer ?? 0 }

    /// The checkpoint's path at the time.
    var model: String? { json["model"]?.string }
    /// The current directory at the time.
    var directory: String? { json["directory"]?.string }
    var pooling: FeaturePooling? { json["pooling"]?.string.flatMap { FeaturePooling(rawValue: $0) } }
    var layer: Int? { json["layer"]?.integer }
    var precision: Precision { json["precision"]?.string.flatMap { Precision(rawValue: $0) } ?? .float32 }
    var isNormalized: Bool { json["l2"]?.bool ?? false }
    var imageSize: Size? {
        guard let sides = json["image_size"]?.integers, sides.count == 2 else { return nil }
        return Size(height: sides[0], width: sides[1])
    }

    /// The number of rows of a finished file, at most one for each input; nil if it is unfinished.
    var rowCount: Int? { json["rows"]?.integer.flatMap { $0 >= 0 && $0 <= inputCount ? $0 : nil } }

    /// The same settings with the final number of rows.
    func finished(rows: Int) -> EmbeddingSettings {
        var members = json.members ?? []
        members.append(JSON.Member("rows", .integer(rows)))
        return EmbeddingSettings(json: .object(members))
    }

    private init(json: JSON) { self.json = json }

    /// What differs from `other`, as messages call it; nil if the same images give the same file.
    func difference(from other: EmbeddingSettings) -> String? {
        Self.decisive.first { json[$0.name] != other.json[$0.name] }?.words ?? numericDifference(from: other)
    }

    /// What differs from the embeddings of `embedder`, apart from their precision; nil if nothing does.
    func difference(from embedder: ImageEmbedder) throws -> String? {
        let other = try EmbeddingSettings(embedder, inputs: [], shard: nil, element: .float32)
        return numericDifference(from: other, ignoring: ["dtype", "fast_decode"])
    }

    /// What differs from `other` in the embedding of an image; nil if nothing does.
    func numericDifference(from other: EmbeddingSettings, ignoring ignored: Set<String> = []) -> String? {
        let setting = Self.numeric.first { !ignored.contains($0.name) && json[$0.name] != other.json[$0.name] }
        if let setting { return setting.words }
        let isSame = Self.isSame(json["probe"]?.doubles ?? [], other.json["probe"]?.doubles ?? [])
        return isSame ? nil : "model"
    }

    /// Whether two fingerprints are of the same weights. Another processor may round differently; other weights give entirely
    /// different numbers.
    private static func isSame(_ mine: [Double], _ theirs: [Double]) -> Bool {
        let scale = mine.map(\.magnitude).max() ?? 0
        return mine.count == theirs.count && zip(mine, theirs).allSatisfy { abs($0 - $1) <= 1e-3 * scale }
    }

    /// Why texts embedded by `embedder` cannot be compared with the rows; nil where they can.
    func obstacle(to embedder: TextEmbedder) throws -> String? {
        guard let mine = json["text_probe"]?.doubles else {
            return
                "holds features (--pool, --layer) that words are not compared with; embed the images with a CLIP or SigLIP "
                + "model, without these options"
        }
        let isSame = Self.isSame(mine, try embedder.probe().map(Double.init))
        return isSame ? nil : "was computed with another model than \(embedder.checkpoint.path); use the same --model"
    }

    /// A fingerprint of the weights: some numbers of the embedding of a noise image.
    private static func probe(_ embedder: ImageEmbedder) throws -> [Float] {
        let size = embedder.configuration.imageSize
        let channels = embedder.configuration.inputChannels
        var random = CounterRandom(seed: 0, purpose: .synthetic)
        let pixels = (0..<size.height * size.width * channels).map { _ in
            UInt8(truncatingIfNeeded: random.nextWord())
        }
        let image = Image(width: size.width, height: size.height, channels: channels, pixels: pixels)
        let values = try embedder.embed(prepared: image)
        return stride(from: 0, to: values.count, by: max(1, values.count / 16)).map { values[$0] }
    }
}
