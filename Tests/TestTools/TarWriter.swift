import Foundation

/// Writes tar archives byte by byte, odd and damaged ones too.
package struct TarWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// A header and data, filled up to whole blocks.
    ///
    /// - Parameters:
    ///   - size: what the header states; nil: that of the data.
    ///   - format: of the mark: "ustar\0" and "00", GNU's, or none.
    package mutating func add(
        _ name: String, _ data: [UInt8] = [], type: Character = "0", target: String = "", size: [UInt8]? = nil,
        mark: String = "ustar\u{0}00", prefix: String = ""
    ) {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: [UInt8], at offset: Int) { header.replaceSubrange(offset..<offset + text.count, with: text) }
        put(Array(name.utf8.prefix(100)), at: 0)
        put(Array("0000644\u{0}".utf8), at: 100)
        put(size ?? Array((octal(data.count, digits: 11) + " ").utf8), at: 124)
        put(Array((octal(1_700_000_000, digits: 11) + " ").utf8), at: 136)
        header[156] = type.asciiValue ?? 0
        put(Array(target.utf8.prefix(100)), at: 157)
        put(Array(mark.utf8), at: 257)
        if !prefix.isEmpty { put(Array(prefix.utf8), at: 345) }
        put(Array("        ".utf8), at: 148)
        put(Array((octal(header.reduce(0) { $0 + Int($1) }, digits: 6) + "\u{0} ").utf8), at: 148)
        bytes += header
        append(data)
    }

    /// Data without a header, filled up to whole blocks.
    package mutating func append(_ data: [UInt8]) {
        bytes += data + [UInt8](repeating: 0, count: (512 - data.count % 512) % 512)
    }

    /// GNU's header for a name or a target that the next header has no room for.
    package mutating func addLong(_ text: String, type: Character = "L") {
        add("././@LongLink", Array(text.utf8) + [0], type: type, mark: "ustar  \u{0}")
    }

    /// POSIX's header for what the next one cannot say.
    package mutating func addRecords(_ records: [(key: String, value: String)], type: Character = "x") {
        var content: [UInt8] = []
        for (key, value) in records {
            let line = Array(" \(key)=\(value)\n".utf8)
            var length = line.count + 1
            while "\(length)".utf8.count + line.count != length { length += 1 }
            content += Array("\(length)".utf8) + line
        }
        add("PaxHeader", content, type: type)
    }

    /// The archive with the mark of its end.
    package var whole: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

    private func octal(_ number: Int, digits: Int) -> String {
        let text = String(number, radix: 8)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    /// The archive of a folder by the system's `tar`; false where it is missing.
    package static func pack(_ arguments: [String], in folder: String) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["tar"] + arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
