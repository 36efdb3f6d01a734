import LibC

/// Ends the process in a sentence where a file that is mapped into memory can no longer be read: another process has made it
/// shorter, or its disk fails. The system reports that by a signal, at whatever instruction touches such a page.
///
/// All that happens in the handler is safe there: it calls the system, and allocates nothing.
enum MappingFailure {
    /// Reports such failures from now on.
    static func watch() {
        var action = sigaction()
        unsafe action.__sigaction_handler.sa_sigaction = { _, information, _ in
            // On 64-bit Linux, the address follows three numbers and what fills them up to a multiple of eight bytes.
            let address = unsafe information.map { unsafe UnsafeRawPointer($0).load(fromByteOffset: 16, as: UInt.self) }
            MappingFailure.end(at: address ?? 0)
        }
        action.sa_flags = SA_SIGINFO
        unsafe sigaction(SIGBUS, &action, nil)
    }

    private static func end(at address: UInt) {
        if reportFile(at: address) { _exit(ExitStatus.inputOutput.rawValue) }
        // It is no file's memory. The instruction is tried again, and ends the process as it would have.
        signal(SIGBUS, SIG_DFL)
    }

    /// Reports the file whose memory is at an address; false where none is.
    private static func reportFile(at address: UInt) -> Bool {
        let maps: StaticString = "/proc/self/maps"
        let file = unsafe maps.utf8Start.withMemoryRebound(to: CChar.self, capacity: maps.utf8CodeUnitCount + 1) {
            unsafe open($0, O_RDONLY | O_CLOEXEC)
        }
        guard file >= 0 else { return false }
        return unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 512) { buffer in
            var line = MapLine(address: address)
            while true {
                let count = unsafe read(file, buffer.baseAddress, buffer.count)
                if count <= 0 { return line.isReported }
                for index in 0..<count {
                    unsafe line.take(buffer[index])
                    if line.isReported { return true }
                }
            }
        }
    }
}

/// The line of `/proc/self/maps` that is being read: `START-END PERMISSIONS OFFSET DEVICE INODE      PATH`.
private struct MapLine {
    private enum Part { case start, end, fields, path }

    private let address: UInt
    private var part = Part.start
    private var (start, end) = (UInt(0), UInt(0))
    private var last: UInt8 = 0
    /// Whether the file of the address was reported.
    private(set) var isReported = false

    init(address: UInt) { self.address = address }

    mutating func take(_ byte: UInt8) {
        let isEnd = byte == UInt8(ascii: "\n")
        switch part {
        case .start:
            if byte == UInt8(ascii: "-") { part = .end } else { start = start << 4 | Self.digit(byte) }
        case .end:
            if byte == UInt8(ascii: " ") { part = .fields } else { end = end << 4 | Self.digit(byte) }
        case .fields:
            guard byte == UInt8(ascii: "/"), address >= start, address < end else { break }
            Self.write("Error: ")
            part = .path
            show(byte)
        case .path:
            if !isEnd { return show(byte) }
            Self.write(
                ": was made shorter, or cannot be read, while it is in use; leave it as it is until the command ends\n")
            isReported = true
        }
        if isEnd { (part, start, end) = (.start, 0, 0) }
    }

    private static func digit(_ byte: UInt8) -> UInt {
        UInt(byte <= UInt8(ascii: "9") ? byte &- UInt8(ascii: "0") : byte &- UInt8(ascii: "a") &+ 10)
    }

    /// Writes a byte of a name, unless it is, or ends, a character that controls a terminal.
    private mutating func show(_ byte: UInt8) {
        let isControl = byte < 0x20 || byte == 0x7F || last == 0xC2 && byte < 0xA0
        last = byte
        var shown = isControl ? UInt8(ascii: "?") : byte
        unsafe _ = systemWrite(&shown, 1)
    }

    private static func write(_ text: StaticString) { unsafe _ = systemWrite(text.utf8Start, text.utf8CodeUnitCount) }
}

/// The system's `write` to standard error, which the method of that name hides.
@unsafe private func systemWrite(_ bytes: UnsafeRawPointer, _ count: Int) -> Int { unsafe write(2, bytes, count) }
