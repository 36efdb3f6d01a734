#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The most memory that this process has held.
package enum PeakMemory {
    /// In bytes, as the kernel counts for this program alone; `getrusage`'s figure starts at that of the process that
    /// started it.
    package static var bytes: Int {
        highWaterMark ?? maximumResidentSize
    }

    private static var highWaterMark: Int? {
        guard let file = unsafe fopen("/proc/self/status", "r") else { return nil }
        defer { unsafe fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while unsafe fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard text.hasPrefix("VmHWM:") else { continue }
            return text.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
        }
        return nil
    }

    private static var maximumResidentSize: Int {
        var usage = rusage()
        return unsafe getrusage(__rusage_who_t(0), &usage) == 0 ? Int(usage.ru_maxrss) * 1024 : 0
    }
}
