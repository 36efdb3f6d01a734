import Checkpoints
import SwiftViT
import Foundation
import Testing

/// Outputs that appear when they are whole, and leave nothing when they are given up.
struct OutputTests {
    private let folder: String
    private let unfinished = UnfinishedFiles()

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("vit-output-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        folder = url.path
    }

    private func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder) }

    @Test func anInterruptedRunCanRemoveWhatItStarted() throws {
        let matrix = try NumPyWriter(folder + "/out.npy", columns: 2, unfinished: unfinished)
        try matrix.append([1, 2])
        let directory = try OutputDirectory(folder + "/model", replacing: false, unfinished: unfinished)
        try Files.write("{}", to: directory.unfinishedPath + "/config.json")
        #expect(try names().count == 2)
        unfinished.deleteAll()
        #expect(try names().isEmpty)
        withExtendedLifetime((matrix, directory)) {}
        try FileManager.default.removeItem(atPath: folder)
    }

    @Test func whatIsDroppedLeavesNothing() throws {
        do {
            let matrix = try NumPyWriter(folder + "/out.npy", columns: 2, unfinished: unfinished)
            let directory = try OutputDirectory(folder + "/model", replacing: false, unfinished: unfinished)
            try Files.write("{}", to: directory.unfinishedPath + "/config.json")
            withExtendedLifetime((matrix, directory)) {}
        }
        #expect(try names().isEmpty)
        try FileManager.default.removeItem(atPath: folder)
    }

    @Test func whatIsFinishedAppears() throws {
        let matrix = try NumPyWriter(folder + "/out.npy", columns: 2, unfinished: unfinished)
        try matrix.append([1, 2])
        try matrix.finish()
        let directory = try OutputDirectory(folder + "/model", replacing: false, unfinished: unfinished)
        try Files.write("{}", to: directory.unfinishedPath + "/config.json")
        try directory.commit()
        #expect(try names().sorted() == ["model", "out.npy"])
        unfinished.deleteAll()
        #expect(try names().count == 2)
        try FileManager.default.removeItem(atPath: folder)
    }
}
