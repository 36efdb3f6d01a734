import LibC
import SwiftViT
import Support

/// Cleans up when the process is interrupted or terminated: removes unfinished files and exits with the signal's code.
enum Interruption {
    /// Starts a thread that waits for the signals. Call this before any other thread starts, since threads inherit the
    /// signal mask.
    static func watch(removing unfinished: UnfinishedFiles) {
        var signals = Signals.requestsToEnd
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        let watch = Watch(signals: signals, unfinished: unfinished)
        if let thread = Thread({ watch.run() }) {
            thread.detach()
        } else {
            // Without the thread, signals keep their default actions.
            unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        }
    }
}

private final class Watch: Sendable {
    private let signals: sigset_t
    private let unfinished: UnfinishedFiles

    init(signals: sigset_t, unfinished: UnfinishedFiles) {
        self.signals = signals
        self.unfinished = unfinished
    }

    func run() {
        var signals = self.signals
        var number: Int32 = 0
        while unsafe sigwait(&signals, &number) != 0 {}
        unfinished.deleteAll()
        if StandardError.isTerminal { StandardError.report("") }
        _exit(Signals.exitCode(of: number))
    }
}
