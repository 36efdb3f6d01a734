import CImageCodecs
import Foundation

import Imaging

/// The path of a file of the imaging fixtures.
func fixture(_ name: String, file: String = #filePath) -> String {
    let tests = URL(fileURLWithPath: file).deletingLastPathComponent().deletingLastPathComponent()
    return tests.appendingPathComponent("Fixtures/imaging").appendingPathComponent(name).path
}

/// The content of a fixture.
func fixtureBytes(_ name: String) throws -> [UInt8] {
    try Array(Data(contentsOf: URL(fileURLWithPath: fixture(name))))
}

/// The names of all images among the fixtures.
func fixtureImages() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: fixture("."))
        .filter { $0.hasSuffix(".png") || $0.hasSuffix(".jpg") }.sorted()
}

/// The lines of a table among the fixtures, by the names of its columns.
func fixtureTable(_ name: String) throws -> [[String: String]] {
    let lines = try String(contentsOfFile: fixture(name), encoding: .utf8).split(separator: "\n")
        .map { $0.split(separator: ",").map(String.init) }
    return lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(lines[0], $0)) }
}

/// The CRC-32 of the bytes, as Python's zlib computes it, in eight digits.
func checksum(_ bytes: [UInt8]) -> String {
    let value = String(codecs_crc32(bytes, bytes.count), radix: 16)
    return String(repeating: "0", count: 8 - value.count) + value
}

/// The CRC-32 of the numbers as they lie in memory.
func checksum(_ values: [Float]) -> String {
    checksum(values.withUnsafeBytes { Array($0) })
}

extension DecodingOptions {
    /// The defaults, but for the number of channels.
    static func channels(_ count: Int) -> DecodingOptions {
        var options = DecodingOptions()
        options.channels = count
        return options
    }
}

/// The error that decoding gives; nil if it gives an image.
func decodingError(_ bytes: [UInt8], options: DecodingOptions = .init()) -> ImageError? {
    do throws(ImageError) {
        _ = try Image(decoding: bytes, options: options)
        return nil
    } catch {
        return error
    }
}

/// Numbers that look random and are the same in every run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
