import Foundation

/// Checkpoints and images of the fixtures, and a scratch directory that is removed with it.
final class UserFiles: Sendable {
    private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures").path
    private let folder = FileManager.default.temporaryDirectory.appending(path: "vit-\(UUID().uuidString)")

    deinit { try? FileManager.default.removeItem(at: folder) }

    func checkpoint(_ name: String) -> String { "\(Self.fixtures)/checkpoints/\(name)" }

    var image: String { images[0] }
    var images: [String] {
        ["baseline.jpg", "grey.jpg", "422.jpg", "440.jpg"].map { "\(Self.fixtures)/imaging/\($0)" }
    }

    func scratch(_ name: String) throws -> String {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder.appending(path: name).path
    }

    /// A data set of two classes with two images each.
    func classFolders() throws -> String {
        let data = URL(filePath: try scratch("data"))
        for (index, image) in images.enumerated() {
            let folder = data.appending(path: index % 2 == 0 ? "ant" : "bee")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let place = folder.appending(path: "\(index).jpg")
            if !FileManager.default.fileExists(atPath: place.path) {
                try FileManager.default.copyItem(atPath: image, toPath: place.path)
            }
        }
        return data.path
    }
}
