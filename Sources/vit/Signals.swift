import LibC

/// The signals that ask a process to end, and those that would end it in the middle of a write.
enum Signals {
    /// Makes a closed pipe and the limit on the size of a file (`ulimit -f`) show as failed writes.
    static func ignoreThoseOfWrites() {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
    }

    /// Ctrl-C, a request to terminate, and the end of the terminal unless the process is to outlive it (`nohup`).
    static var requestsToEnd: sigset_t {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGINT)
        unsafe sigaddset(&signals, SIGTERM)
        if !isIgnored(SIGHUP) { unsafe sigaddset(&signals, SIGHUP) }
        return signals
    }

    /// The same, and Slurm's warning before the time limit (`--signal=USR1@120`).
    static var requestsToStop: sigset_t {
        var signals = requestsToEnd
        unsafe sigaddset(&signals, SIGUSR1)
        return signals
    }

    /// The exit status after such a signal: interrupted after SIGINT, else terminated.
    static func status(of number: Int32) -> ExitStatus { number == SIGINT ? .interrupted : .terminated }

    /// The exit code of that.
    static func exitCode(of number: Int32) -> Int32 { status(of: number).rawValue }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard unsafe sigaction(number, nil, &action) == 0 else { return false }
        return unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
    }
}
