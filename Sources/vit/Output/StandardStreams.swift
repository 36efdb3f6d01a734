import LibC
import SwiftViT

/// Standard error: unbuffered; write errors are ignored.
///
/// All text goes through `printable` here, since any of it may hold names.
enum StandardError {
    static var isTerminal: Bool { isatty(2) == 1 }

    /// Prints a message on a line of its own.
    static func report(_ message: String) { write("\(printable(message))\n") }

    /// Shows a line in the place of the last one that was shown, on a terminal.
    static func show(_ line: String) { write("\r\u{1B}[K\(printable(line))") }

    /// Erases the line that was shown.
    static func clearLine() { write("\r\u{1B}[K") }

    private static func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            _ = unsafe systemWrite(2, bytes.baseAddress, bytes.count)
        }
    }
}

/// Standard output, buffered.
final class StandardOutput {
    static var isTerminal: Bool { isatty(1) == 1 }

    private var buffer: [UInt8] = []
    private static let pieceSize = 1 << 16

    /// Appends text to the buffer.
    func write(_ text: String) throws {
        buffer += Array(text.utf8)
        if buffer.count >= Self.pieceSize { try flush() }
    }

    /// Writes the buffer.
    func flush() throws {
        defer { buffer.removeAll(keepingCapacity: true) }
        try unsafe buffer.withUnsafeBytes { bytes in
            var rest = unsafe bytes[...]
            while unsafe !rest.isEmpty {
                let count = unsafe systemWrite(1, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count > 0 {
                    unsafe rest = rest.dropFirst(count)
                } else {
                    try Self.recover()
                }
            }
        }
    }

    /// Waits if the stream is full or the call was interrupted; throws if it is closed or broken.
    private static func recover() throws {
        switch errno {
        case EINTR: return
        case EAGAIN:
            var request = pollfd(fd: 1, events: Int16(POLLOUT), revents: 0)
            unsafe poll(&request, 1, -1)
        case EPIPE: throw CommandFailure(.brokenPipe)
        default: throw FileError(.inputOutput, "standard output", "cannot be written", .last)
        }
    }
}

/// The system's `write`, which the methods of that name would hide.
@unsafe private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    unsafe write(descriptor, bytes, count)
}
