import Foundation
import Models
import Testing

import Training
import Support

@Suite struct EventFileTests {
    @Test func checksumIsCastagnolis() {
        // The check value of CRC-32C, and the masked one that TensorFlow's records use.
        #expect(CRC32C().checksum(Array("123456789".utf8)) == 0xE306_9283)
        // RFC 3720, B.4: 32 bytes of zeros.
        #expect(CRC32C().checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    }

    @Test func recordsHoldWhatWasLogged() throws {
        let folder = try TemporaryFolder()
        let first = MetricsLine(step: 300, values: [("loss", 0.5), ("lr", 1e-3)])
        let file = try EventFile(in: folder.path, lines: [first])
        try file.append(MetricsLine(step: 301, values: [("loss", 0.25)]))
        let name = try #require(Files.names(in: folder.path).first)
        let records = try EventRecords(Files.bytes(of: folder.path + "/" + name)).events
        #expect(records.count == 3)
        #expect(records[0].version == "brain.Event:2")
        #expect(records[1].step == 300 && records[1].values == ["loss": 0.5, "lr": 1e-3])
        #expect(records[2].step == 301 && records[2].values == ["loss": 0.25])
        #expect(records[1].time == first.time)
    }

    @Test func aResumedRunHasEveryStepOnce() throws {
        let run = try TinyRun()
        try run.train(stop: 13)
        try Files.remove(run.output + "/checkpoints/13")
        try run.train(resumes: true)
        let names = try Files.names(in: run.output + "/tensorboard")
        #expect(names.count == 1)
        let events = try EventRecords(Files.bytes(of: run.output + "/tensorboard/" + names[0])).events
        let steps = events.filter { $0.values["loss"] != nil }.map(\.step)
        #expect(steps == [4, 8, 12, 16, 20, 24, 28, 30])
    }
}

/// A second reading of the format, from its description.
private struct EventRecords {
    struct Event {
        var time = 0.0
        var step = 0
        var version = ""
        var values: [String: Float] = [:]
    }

    var events: [Event] = []

    init(_ bytes: [UInt8]) throws {
        var place = 0
        while place < bytes.count {
            let length = Array(bytes[place..<place + 8])
            let count = Int(Self.number(length))
            try #require(Self.number(Array(bytes[place + 8..<place + 12])) == UInt64(CRC32C().masked(length)))
            let event = Array(bytes[place + 12..<place + 12 + count])
            let end = place + 12 + count
            try #require(Self.number(Array(bytes[end..<end + 4])) == UInt64(CRC32C().masked(event)))
            events.append(Self.event(event))
            place = end + 4
        }
    }

    private static func number(_ bytes: [UInt8]) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }

    private static func fields(_ bytes: [UInt8]) -> [(number: Int, content: [UInt8])] {
        var (place, fields) = (0, [(number: Int, content: [UInt8])]())
        func varint() -> Int {
            var (value, shift) = (0, 0)
            repeat {
                value |= Int(bytes[place] & 0x7F) << shift
                shift += 7
                place += 1
            } while bytes[place - 1] >= 0x80
            return value
        }
        while place < bytes.count {
            let key = varint()
            switch key & 7 {
            case 0: fields.append((key >> 3, Array(String(varint()).utf8)))
            case 1, 5:
                let size = key & 7 == 1 ? 8 : 4
                fields.append((key >> 3, Array(bytes[place..<place + size])))
                place += size
            default:
                let size = varint()
                fields.append((key >> 3, Array(bytes[place..<place + size])))
                place += size
            }
        }
        return fields
    }

    private static func event(_ bytes: [UInt8]) -> Event {
        var event = Event()
        for (field, content) in fields(bytes) {
            switch field {
            case 1: event.time = Double(bitPattern: number(content))
            case 2: event.step = Int(String(decoding: content, as: UTF8.self)) ?? -1
            case 3: event.version = String(decoding: content, as: UTF8.self)
            default:
                for (_, value) in fields(content) {
                    let parts = Dictionary(uniqueKeysWithValues: fields(value).map { ($0.number, $0.content) })
                    event.values[String(decoding: parts[1] ?? [], as: UTF8.self)] = Float(
                        bitPattern: UInt32(number(parts[2] ?? [])))
                }
            }
        }
        return event
    }
}
