import LibC

/// The most memory that this process has held.
package enum PeakMemory {
    /// In bytes, as the kernel counts for this program alone; `getrusage`'s figure starts at that of the process that
    /// started it.
    package static var bytes: Int {
        highWaterMark ?? maximumResidentSize
    }

    private static var highWaterMark: Int? {
        guard let status = try? Files.bytes(of: "/proc/self/status") else { return nil }
        let lines = String(decoding: status, as: UTF8.self).split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix("VmHWM:") }) else { return nil }
        return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
    }

    private static var maximumResidentSize: Int {
        var usage = rusage()
        return unsafe getrusage(__rusage_who_t(0), &usage) == 0 ? Int(usage.ru_maxrss) * 1024 : 0
    }
}
