import Foundation
import Imaging

/// A directory of its own for a test, removed with it.
final class Scratch {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("vit-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    /// The names of all files and directories in it but hidden ones, sorted.
    var names: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: url.path).filter { !$0.hasPrefix(".streams") }.sorted()
        }
    }

    func read(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: url.appendingPathComponent(name))) }

    func write(_ bytes: [UInt8], to name: String) throws {
        let file = url.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
    }

    func write(_ text: String, to name: String) throws { try write(Array(text.utf8), to: name) }

    /// Waits until a training in `run/` has written a checkpoint, whichever it is: old ones go while it trains.
    func waitForCheckpoint(of run: Vit.Run) {
        while run.process.isRunning {
            let steps = (try? FileManager.default.contentsOfDirectory(atPath: path("run/checkpoints"))) ?? []
            if steps.contains(where: { !$0.hasPrefix(".") }) { return }
            usleep(2000)
        }
    }

    /// Opens a named pipe, once a run has opened it to read an image; nil where the run ended first.
    func openPipe(_ name: String, readBy run: Vit.Run) throws -> FileHandle? {
        while run.process.isRunning {
            let descriptor = open(path(name), O_WRONLY | O_NONBLOCK | O_CLOEXEC)
            if descriptor >= 0 { return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true) }
            usleep(2000)
        }
        return nil
    }

    /// A small image, another one for each `seed`.
    func writeImage(_ name: String, seed: Int = 0, width: Int = 23, height: Int = 17) throws {
        let pixels = (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0 &* (7 + 13 * seed) &+ seed * 31) }
        try write(Image(width: width, height: height, channels: 3, pixels: pixels).encodedPNG(), to: name)
    }

    /// A JPEG of colours that run smoothly.
    func writePhoto(_ name: String, width: Int, height: Int) throws {
        var pixels: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width {
                pixels += [UInt8(x * 255 / width), UInt8(y * 255 / height), UInt8((x ^ y) & 0xE0)] as [UInt8]
            }
        }
        try write(Image(width: width, height: height, channels: 3, pixels: pixels).encodedJPEG(quality: 90), to: name)
    }

    /// A copy of a checkpoint of the fixtures, for a test to damage.
    func copyCheckpoint(_ name: String) throws {
        try FileManager.default.copyItem(
            at: URL(fileURLWithPath: Fixtures.checkpoint(name)), to: url.appendingPathComponent(name))
    }
}
