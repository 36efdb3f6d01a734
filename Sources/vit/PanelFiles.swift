import Checkpoints
import Datasets
import SwiftViT
import Imaging
import Support

/// Where the pictures that a command draws go: one file, or a directory with a file for each input.
struct PanelFiles {
    private let output: String
    private let isOneFile: Bool
    private let unfinished: UnfinishedFiles
    private var taken: Set<String> = []

    /// Errors: a usage error where one file is named for several inputs.
    init(output: String, inputCount: Int, unfinished: UnfinishedFiles) throws {
        self.output = output
        self.unfinished = unfinished
        isOneFile = output.lowercased().hasSuffix(".png") && Files.kind(of: output) != .directory
        if isOneFile, inputCount != 1 {
            throw CommandFailure(
                .usage, "\(output): is one picture, and there are \(inputCount) inputs; name a directory")
        }
    }

    /// Makes the directory where there is none.
    func makeDirectory() throws {
        if !isOneFile { try Files.makeDirectory(output) }
    }

    /// Writes the picture of an input and tells its path.
    mutating func write(_ image: Image, for input: String) throws(FileError) -> String {
        let path = isOneFile ? output : Files.join(output, name(for: input))
        try Files.write(image.encodedPNG(), to: path, unfinished: unfinished)
        return path
    }

    /// The input's name with another ending; names that come again are numbered.
    private mutating func name(for input: String) -> String {
        var stem = input == "-" ? "standard-input" : Files.name(of: input)
        if let dot = stem.lastIndex(of: "."), dot != stem.startIndex { stem = String(stem[..<dot]) }
        var name = "\(stem).png"
        var number = 1
        while !taken.insert(name).inserted {
            number += 1
            name = "\(stem)-\(number).png"
        }
        return name
    }
}
