@unsafe @preconcurrency import LibC

/// A program that this process started, and what it prints.
package final class ChildProcess {
    private let identifier: pid_t
    private let output: Int32
    private let errors: Int32
    private var isRunning = true

    /// Starts the program of that name, found in PATH, without a shell.
    ///
    /// - Parameters:
    ///   - input: what its standard input holds.
    ///   - hidden: variables of the environment that it does not get.
    package init(
        _ name: String, _ arguments: [String], input: [UInt8], hiding hidden: Set<String> = []
    ) throws(SystemError) {
        let inputPair = try Self.pair()
        var open = [inputPair.0, inputPair.1]
        defer { for descriptor in open { close(descriptor) } }
        let outputPair = try Self.pair()
        open += [outputPair.0, outputPair.1]
        let errorPair = try Self.pair()
        open += [errorPair.0, errorPair.1]
        identifier = try Self.spawn(
            name, arguments, streams: [inputPair.0, outputPair.1, errorPair.1], hiding: hidden)
        (output, errors) = (outputPair.0, errorPair.0)
        // Its ends of the streams are its own now: only then does it show here that it has closed them.
        for descriptor in [inputPair.0, outputPair.1, errorPair.1] { close(descriptor) }
        open = [inputPair.1]
        Self.send(input, to: inputPair.1)
    }

    deinit {
        if isRunning {
            kill(identifier, SIGKILL)
            _ = wait()
        }
        close(output)
        close(errors)
    }

    /// The next bytes that it printed, as soon as there are any; none at the end.
    package func read() throws(SystemError) -> [UInt8] { try Self.read(output) }

    /// What it printed on standard error, once its output has ended.
    package func errorText() -> String {
        var bytes: [UInt8] = []
        while bytes.count < 1 << 16, let piece = try? Self.read(errors), !piece.isEmpty { bytes += piece }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Waits for its end; gives its exit code, or 128 and the number of the signal that ended it.
    package func wait() -> Int32 {
        guard isRunning else { return 0 }
        isRunning = false
        var status: Int32 = 0
        while unsafe waitpid(identifier, &status, 0) < 0 {
            // Whoever ignores SIGCHLD has no children to wait for.
            if errno != EINTR { return 0 }
        }
        return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
    }

    // MARK: Starting

    /// Two ends of a stream. Sockets, since a write to them need not raise SIGPIPE where the program has ended already.
    private static func pair() throws(SystemError) -> (Int32, Int32) {
        var descriptors: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        if unsafe socketpair(AF_UNIX, kind, 0, &descriptors) != 0 { throw .last }
        return (descriptors[0], descriptors[1])
    }

    /// Standard input, output and error are `streams`; signals have their default actions, as a program expects them.
    private static func spawn(
        _ name: String, _ arguments: [String], streams: [Int32], hiding hidden: Set<String>
    ) throws(SystemError) -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for (place, descriptor) in streams.enumerated() {
            unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(place))
        }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in [SIGPIPE, SIGXFSZ, SIGCHLD] { unsafe sigaddset(&signals, signal) }
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var words = unsafe ([name] + arguments).map { unsafe strdup($0) } + [nil]
        var variables = unsafe environment(without: hidden)
        defer { unsafe (words + variables).forEach { unsafe free($0) } }
        var identifier: pid_t = 0
        let code = unsafe posix_spawnp(&identifier, name, &actions, &attributes, &words, &variables)
        if code != 0 { throw SystemError(code: code) }
        return identifier
    }

    @unsafe private static func environment(without hidden: Set<String>) -> [UnsafeMutablePointer<CChar>?] {
        var variables: [UnsafeMutablePointer<CChar>?] = unsafe []
        var next = unsafe environ
        while let variable = unsafe next.pointee {
            let name = unsafe String(cString: variable).prefix { $0 != "=" }
            if !hidden.contains(String(name)) { unsafe variables.append(strdup(variable)) }
            unsafe next += 1
        }
        return unsafe variables + [nil]
    }

    /// Writes until the program takes no more.
    private static func send(_ bytes: [UInt8], to socket: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe LibC.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return }
            rest = rest.dropFirst(count)
        }
    }

    private static func read(_ descriptor: Int32) throws(SystemError) -> [UInt8] {
        var failure: SystemError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
            while true {
                let length = unsafe LibC.read(descriptor, buffer.baseAddress, buffer.count)
                if length < 0, errno == EINTR { continue }
                if length < 0 { failure = .last }
                count = max(0, length)
                return
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
