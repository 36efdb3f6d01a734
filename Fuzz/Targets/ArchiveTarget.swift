import Datasets
import Support

extension Target {
    /// A tar archive as a set of images with and without labels, as inputs, and as an index that is kept.
    static let archive = Target(name: "archive") { bytes in
        let path = Scratch.write(bytes, to: "a.tar")
        for requiresLabels in [true, false] {
            var options = ImageDataset.Options()
            options.requiresLabels = requiresLabels
            guard let set = attempt({ try ImageDataset(at: path, options: options) }) else { continue }
            check(set.samples(set.evaluationPart).count > 0, "a set has images")
            for sample in set.training.prefix(50) { _ = attempt { try set.imageBytes(of: sample) } }
            _ = attempt { try DataFingerprint(of: set) }
        }
        for input in attempt({ try InputPaths(expanding: [path]).inputs })?.prefix(50) ?? [] {
            _ = attempt { try input.bytes() }
        }
        readIndex(path)
    }

    private static func readIndex(_ path: String) {
        let selection = TarArchive.Selection(
            name: { $0.hasSuffix(".jpg") }, head: { $0.first == 0xFF }, headCount: 4)
        guard let archive = attempt({ try TarArchive(path, selecting: selection, cache: nil) }) else { return }
        let names = (0..<archive.index.count).map { archive.index.name($0) }
        for (index, name) in names.enumerated() {
            check(archive.index.index(of: name) == index, "a member is found by its name")
            check(index == 0 || names[index - 1].precedesBytewise(name), "names are sorted")
            check(
                archive.index.kind(index) != .file || archive.index.size(index) <= archive.status.byteCount,
                "a file lies in the archive")
            _ = attempt { try archive.bytes(of: index, upTo: 64) }
        }
        _ = archive.index.content(of: "")
    }
}
