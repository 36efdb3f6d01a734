import LibC

/// The memory that this process may have.
package enum MemoryLimit {
    /// In bytes: what the machine has, or less where the process, or the container around it, is limited.
    package static var bytes: Int {
        let containers = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        let limits = [machine, addressSpace] + containers.map(number)
        return limits.compactMap { $0 }.min() ?? .max
    }

    private static var machine: Int? {
        let (pages, size) = (Int(sysconf(Int32(_SC_PHYS_PAGES))), Int(sysconf(Int32(_SC_PAGESIZE))))
        return pages > 0 && size > 0 ? pages * size : nil
    }

    private static var addressSpace: Int? {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0 else { return nil }
        return Int(clamping: limit.rlim_cur)
    }

    /// The number in a file of the kernel's; nil where there is none.
    private static func number(_ path: String) -> Int? {
        guard let text = try? Files.bytes(of: path) else { return nil }
        return Int(String(decoding: text, as: UTF8.self).prefix { $0.isNumber })
    }
}
