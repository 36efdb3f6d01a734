import CImageCodecs
import Foundation

/// The path of a file under Tests/Fixtures.
func fixture(_ name: String, file: String = #filePath) -> String {
    let tests = URL(fileURLWithPath: file).deletingLastPathComponent().deletingLastPathComponent()
    return tests.appendingPathComponent("Fixtures").appendingPathComponent(name).path
}

/// The CRC-32 of the bytes, as Python's zlib prints it with eight digits.
func checksum(_ bytes: [UInt8]) -> String {
    let value = String(codecs_crc32(bytes, bytes.count), radix: 16)
    return String(repeating: "0", count: 8 - value.count) + value
}
