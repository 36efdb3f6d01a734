import Models
import Support

/// The scalars of a run as TensorBoard reads them: a file of records, each a protocol buffer `Event`.
///
/// A record is its length (8 bytes), the masked CRC-32C of the length, the event, and the masked CRC-32C of the event
/// (TensorFlow, `record_writer.cc` and `event.proto`). There is one file, and a resumed run writes it again from its
/// metrics, so that no step appears twice.
package final class EventFile {
    private let file: AppendedFile
    private let checksum = CRC32C()

    /// Starts the file in `directory` with the lines that the run has.
    package init(in directory: String, lines: [MetricsLine]) throws {
        try Files.makeDirectory(directory)
        for name in try Files.names(in: directory) where name.hasPrefix("events.out.tfevents.") {
            try Files.remove(Files.join(directory, name))
        }
        let start = lines.first?.time ?? MetricsLine(step: 0, values: []).time
        let path = Files.join(directory, "events.out.tfevents.\(Int(start)).vit")
        file = try AppendedFile(path, of: path)
        var bytes = record(Self.double(1, start) + Self.text(3, "brain.Event:2"))
        for line in lines { bytes += record(of: line) }
        try write(bytes)
    }

    package func append(_ line: MetricsLine) throws {
        try write(record(of: line))
    }

    private func write(_ bytes: [UInt8]) throws(FileError) {
        file.append(bytes)
        try file.write()
    }

    /// wall_time = 1, step = 2, summary = 5 { value = 1 { tag = 1, simple_value = 2 } … }.
    private func record(of line: MetricsLine) -> [UInt8] {
        let values = line.values.flatMap { name, value in
            Self.message(1, Self.text(1, name) + Self.float(2, Float(value)))
        }
        return record(Self.double(1, line.time) + Self.integer(2, line.step) + Self.message(5, values))
    }

    private func record(_ event: [UInt8]) -> [UInt8] {
        let length = littleEndian(UInt64(event.count))
        return length + littleEndian(checksum.masked(length)) + event + littleEndian(checksum.masked(event))
    }

    // Fields of a protocol buffer: the number with the wire type, and the value.

    private static func integer(_ number: UInt64, _ value: Int) -> [UInt8] {
        varint(number << 3) + varint(UInt64(bitPattern: Int64(value)))
    }

    private static func double(_ number: UInt64, _ value: Double) -> [UInt8] {
        varint(number << 3 | 1) + littleEndian(value.bitPattern)
    }

    private static func float(_ number: UInt64, _ value: Float) -> [UInt8] {
        varint(number << 3 | 5) + littleEndian(value.bitPattern)
    }

    private static func message(_ number: UInt64, _ content: [UInt8]) -> [UInt8] {
        varint(number << 3 | 2) + varint(UInt64(content.count)) + content
    }

    private static func text(_ number: UInt64, _ text: String) -> [UInt8] { message(number, Array(text.utf8)) }

    private static func varint(_ value: UInt64) -> [UInt8] {
        var (rest, bytes) = (value, [UInt8]())
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}

/// The CRC with Castagnoli's polynomial, and TensorFlow's mask over it.
package struct CRC32C: Sendable {
    private let table: [UInt32]

    package init() {
        table = (0..<256).map { byte in
            (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
        }
    }

    package func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~0) { $0 >> 8 ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
    }

    package func masked(_ bytes: [UInt8]) -> UInt32 {
        let crc = checksum(bytes)
        return (crc >> 15 | crc << 17) &+ 0xA282_EAD8
    }
}
