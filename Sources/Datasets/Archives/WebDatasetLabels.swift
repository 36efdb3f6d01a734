import Support

/// The labels that lie beside the images of an archive, as WebDataset has them: `KEY.cls` or `KEY.json` beside `KEY.jpg`.
///
/// A file's key is its path up to the first dot of its name. `KEY.cls` holds a number or a word; `KEY.json` an object with
/// `"label"` or `"cls"`, a number or a text.
struct WebDatasetLabels {
    private let index: TarIndex
    private let folder: String

    private static let extensions = ["cls", "json"]
    /// No label needs more bytes, and no JSON beside an image.
    private static let (labelLimit, fileLimit) = (255, 1 << 20)

    init(_ index: TarIndex, below folder: String) { (self.index, self.folder) = (index, folder) }

    /// Whether the first image has a label beside it.
    func areThere(in archive: TarArchive) throws(InputError) -> Bool {
        guard let first = images.first(where: { _ in true }) else { return false }
        guard let file = file(beside: first) else { return false }
        return isJSON(file) ? (try? label(in: file, of: archive)) != nil : true
    }

    /// Passes every image and its label to `body`; throws where an image has none.
    func forEach(in archive: TarArchive, _ body: (_ image: Int, _ label: String) -> Void) throws(InputError) {
        for image in images {
            guard let file = file(beside: image) else { throw missing(image, archive) }
            body(image, try label(in: file, of: archive))
        }
    }

    /// The archive has no labels, and others of the set have.
    func missing(in archive: TarArchive) -> InputError {
        images.first { _ in true }.map { missing($0, archive) }
            ?? .malformed(archive.path, "holds no images, and others of the set do")
    }

    private var images: LazyFilterSequence<Range<Int>> {
        let index = index
        return index.range(below: folder).lazy.filter { index.isWanted($0) && index.kind($0).reason == nil }
    }

    private func missing(_ image: Int, _ archive: TarArchive) -> InputError {
        let member = ArchiveMember(archive: archive, index: image)
        return .malformed(
            member.path,
            "has no label beside it, and other images have; expected \(Self.key(index.name(image))).cls or .json")
    }

    /// The file with the label of an image; nil where there is none.
    private func file(beside image: Int) -> Int? {
        let key = Self.key(index.name(image))
        return Self.extensions.lazy.compactMap { index.index(of: "\(key).\($0)") }.first
    }

    private func isJSON(_ file: Int) -> Bool { index.name(file).utf8.suffix(5).elementsEqual(".json".utf8) }

    /// A path up to the first dot of the name.
    private static func key(_ path: String) -> String {
        let start = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path.utf8.index(after: $0) } ?? path.startIndex
        return String(path[..<(path.utf8[start...].firstIndex(of: UInt8(ascii: ".")) ?? path.endIndex)])
    }

    private func label(in file: Int, of archive: TarArchive) throws(InputError) -> String {
        let member = ArchiveMember(archive: archive, index: file)
        guard member.byteCount <= Self.fileLimit else { throw .malformed(member.path, "is too large for a label") }
        let content = try member.content()
        let label = isJSON(file) ? Self.label(ofJSON: content) : Self.label(ofText: content)
        guard let label, !label.isEmpty, label.utf8.count <= Self.labelLimit else {
            let expected =
                isJSON(file) ? "an object with \"label\" or \"cls\", a number or a text" : "a number or a word"
            throw .malformed(member.path, "states no label; expected \(expected)")
        }
        return label
    }

    private static func label(ofText content: [UInt8]) -> String? {
        guard let text = String(validating: content, as: UTF8.self) else { return nil }
        let lines = text.split(whereSeparator: \.isNewline)
        guard lines.count == 1 else { return nil }
        let word = lines[0].drop(while: \.isWhitespace)
        let end = word.lastIndex { !$0.isWhitespace }.map { word.index(after: $0) } ?? word.startIndex
        let label = String(word[..<end])
        // "07" and "7" are one class.
        return Int(label).map { "\($0)" } ?? label
    }

    private static func label(ofJSON content: [UInt8]) -> String? {
        guard let json = try? JSON.parse(content), let value = json["label"] ?? json["cls"] else { return nil }
        return value.integer.map { "\($0)" } ?? value.string
    }
}
