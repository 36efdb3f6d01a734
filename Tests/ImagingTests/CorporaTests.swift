import Foundation
import Testing

import Imaging

/// What Pillow makes of an image, as tools/make_imaging_goldens.py wrote it down.
struct CorpusEntry {
    let path: String
    /// Checksums by the name of what they are of; nil where Pillow refuses the image.
    let expected: [String: String]?
}

/// Set where the image collections are unpacked; the tests that need them are skipped elsewhere.
let dataFolder = ProcessInfo.processInfo.environment["SWIFT_VIT_DATA"]

@Suite(.enabled(if: dataFolder != nil)) struct CorporaTests {
    @Test func exploration() throws {
        for entry in try corpusEntries() {
            let path = (dataFolder ?? "") + "/" + entry.path
            do {
                let image = try Image(contentsOfFile: path)
                guard let expected = entry.expected else {
                    print("XX reads: \(entry.path)")
                    continue
                }
                for (name, value) in try checksums(image, path: path) where expected[name] != value {
                    print("XX differs: \(entry.path) \(name)")
                }
            } catch {
                print(
                    entry.expected == nil
                        ? "XX both refuse: \(entry.path): \(error)" : "XX refuses: \(entry.path): \(error)")
            }
        }
    }
}

func corpusEntries() throws -> [CorpusEntry] {
    let lines = try String(contentsOfFile: fixture("imaging/corpora.csv"), encoding: .utf8).split(separator: "\n")
        .map { $0.split(separator: ",").map(String.init) }
    return lines.dropFirst().map { fields in
        CorpusEntry(
            path: fields[0],
            expected: fields[1] == "error" ? nil : Dictionary(uniqueKeysWithValues: zip(lines[0], fields).dropFirst()))
    }
}

/// The same preparations as in tools/make_imaging_goldens.py.
func checksums(_ image: Image, path: String) throws -> [String: String] {
    func decoded(_ channels: Int) throws -> Image {
        var options = DecodingOptions()
        options.channels = channels
        return try Image(contentsOfFile: path, options: options)
    }
    let preprocessing = Preprocessing(
        resize: .shortestEdge(248), interpolation: .bicubic, crop: .init(width: 224, height: 224),
        mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225])
    let prepared = preprocessing.prepare(image)
    let (width, height) = (Double(image.width), Double(image.height))
    let filtered = [
        image.resized(width: 160, height: 120, interpolation: .lanczos),
        image.resized(width: 131, height: 90, interpolation: .nearest),
        image.resized(width: 64, height: image.height + 7, interpolation: .hamming),
        image.resized(width: image.width + 5, height: 48, interpolation: .box),
        image.resized(
            width: 77, height: 33, interpolation: .bicubic,
            box: (x: width * 0.125, y: height * 0.25, width: width * 0.625, height: height * 0.75)),
    ]
    return [
        "width": "\(image.width)",
        "height": "\(image.height)",
        "rgb": checksum(image.pixels),
        "grey": checksum(try decoded(1).pixels),
        "rgba": checksum(try decoded(4).pixels),
        "bilinear96": checksum(image.resized(width: 96, height: 96, interpolation: .bilinear).pixels),
        "filters": checksum(filtered.flatMap(\.pixels)),
        "tensor": checksum(preprocessing.normalize(prepared).withUnsafeBytes { Array($0) }),
    ]
}
