import Datasets
import Imaging
import Models
import Support
import SwiftViT

/// Writes the images that a command draws: to one file, or to a directory with a file per input.
struct ImageFiles {
    private let output: String
    private let isOneFile: Bool
    /// Whether that file is a JPEG.
    private let isJPEG: Bool
    private let unfinished: UnfinishedFiles
    private var taken: Set<BytewiseText> = []

    /// Errors: a usage error where one file is named for several inputs.
    init(output: String, inputCount: Int, unfinished: UnfinishedFiles) throws {
        self.output = output
        self.unfinished = unfinished
        isJPEG = [".jpg", ".jpeg"].contains { output.lowercased().hasSuffix($0) }
        isOneFile =
            try (isJPEG || output.lowercased().hasSuffix(".png")) && Files.kind(of: output) != .directory
        if isOneFile, inputCount != 1 {
            throw CommandFailure(
                .usage, "\(output): holds one image, and there are \(inputCount) inputs; name a directory")
        }
    }

    /// Creates the directory unless it exists.
    func makeDirectory() throws {
        if !isOneFile { try Files.makeDirectory(output) }
    }

    /// Writes the image drawn for an input and returns its path.
    mutating func write(_ image: Image, for input: String) throws(FileError) -> String {
        let path = isOneFile ? output : Files.join(output, name(for: input))
        let bytes = isOneFile && isJPEG ? image.encodedJPEG(quality: 95) : image.encodedPNG()
        try Files.write(bytes, to: path, unfinished: unfinished)
        return path
    }

    /// The input's name with the extension .png; repeated names are numbered.
    private mutating func name(for input: String) -> String {
        var stem = input == "-" ? "standard-input" : Files.name(of: input)
        if let dot = stem.lastIndex(of: "."), dot != stem.startIndex { stem = String(stem[..<dot]) }
        var name = "\(stem).png"
        var number = 1
        while !taken.insert(BytewiseText(name)).inserted {
            number += 1
            name = "\(stem)-\(number).png"
        }
        return name
    }
}
