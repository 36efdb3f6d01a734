import LibC
import Support
import Synchronization

/// A request to stop by SIGINT, SIGTERM, SIGUSR1 or SIGHUP: the first stops the run with a checkpoint, the second ends the process.
final class StopRequest: Sendable {
    private let number = Atomic<Int32>(0)
    private let signals: sigset_t
    /// What happens first: "Stopping after a checkpoint".
    private let announcement: String

    private init(signals: sigset_t, announcement: String) {
        self.signals = signals
        self.announcement = announcement
    }

    /// The signal received; nil where there was none.
    var signal: Int32? {
        let number = number.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }

    /// Ends the process as the signal would have, if there was one.
    func exitIfAsked() {
        if let signal { exit(Signals.exitCode(of: signal)) }
    }

    /// Starts to watch, on a thread of its own. Call it before any other thread starts, since threads inherit which
    /// signals are blocked.
    ///
    /// - Parameter announcement: what happens at the first signal, without a full stop.
    static func watch(announcing announcement: String) -> StopRequest {
        var signals = Signals.requestsToStop
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        let request = StopRequest(signals: signals, announcement: announcement)
        if let thread = Thread({ request.wait() }) {
            thread.detach()
        } else {
            // Without the thread, the signals end the process as they always do.
            unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        }
        return request
    }

    private func wait() {
        var signals = self.signals
        while true {
            var came: Int32 = 0
            guard unsafe sigwait(&signals, &came) == 0 else { continue }
            // A terminal that closes sends its signal more than once, and Slurm may; nobody there asks again.
            if [SIGHUP, SIGUSR1].contains(came), signal != nil { continue }
            if number.exchange(came, ordering: .relaxed) != 0 { _exit(Signals.exitCode(of: came)) }
            if !Processes.isFirst { continue }
            if StandardError.isTerminal { StandardError.report("") }
            StandardError.report("\(announcement); interrupt again to stop at once.")
        }
    }
}
