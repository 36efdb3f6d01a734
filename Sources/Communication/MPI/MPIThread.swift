import LibC
import Support

/// The thread that makes all MPI calls: it sends and receives messages, and exchanges heartbeats.
struct MPIThread {
    /// What other threads request, and the answers.
    struct Orders {
        var joined: Result<(rank: Int, count: Int), CommunicationError>?
        var transfers: [(MPITransfer, [Message])] = []
        var failure: MPIFailure?
        var isFinishing = false
        var isFinished = false

        var isEmpty: Bool { transfers.isEmpty && failure == nil && !isFinishing }
    }

    private let connection: MPIConnection
    private let orders: Monitor<Orders>
    private let report: @Sendable (String) -> Void
    private var heartbeat: MPIHeartbeat
    private var active: [(transfer: MPITransfer, requests: [MPIRequest], isLarge: Bool)] = []
    private var pause = Pause()

    /// Joins the other processes, then serves `orders` until it is told to finish.
    static func run(_ launch: Launch, _ orders: Monitor<Orders>, _ report: @escaping @Sendable (String) -> Void) {
        do throws(CommunicationError) {
            let connection = try MPIConnection(launch)
            var thread = MPIThread(
                connection: connection, orders: orders, report: report, heartbeat: try MPIHeartbeat(connection))
            orders.update { $0.joined = .success((connection.rank, connection.count)) }
            try thread.serve()
        } catch {
            let isJoined = orders.update { orders in
                defer { if orders.joined == nil { orders.joined = .failure(error) } }
                return orders.joined != nil
            }
            if isJoined { MPIConnection.end(report, error.description) }
        }
    }

    private mutating func serve() throws(CommunicationError) {
        while true {
            let wait = pause.nanoseconds(isBusy: !active.isEmpty, isMovingMuch: active.contains { $0.isLarge })
            let (new, failure, isFinishing) = orders.update(waiting: wait, until: { !$0.isEmpty }) { orders in
                defer { orders.transfers = [] }
                return (orders.transfers, orders.failure, orders.isFinishing)
            }
            for (transfer, messages) in new {
                var requests: [MPIRequest] = []
                for message in messages { requests += try connection.start(message) }
                active.append((transfer, requests, messages.contains { unsafe $0.bytes.count >= Pause.largeMessage }))
            }
            if try advance() || !new.isEmpty { pause.reset() } else if wait == 0 { sched_yield() }
            try heartbeat.keep()
            if let failure { try end(failure) }
            if let (rank, failure) = try heartbeat.othersFailure() { endForOther(failure, of: rank) }
            if let rank = heartbeat.silentProcess {
                // Where all wait for process 0, one of them speaks, and ends the others.
                if connection.rank > 1 { sleep(5) }
                connection.end(
                    report,
                    "process \(rank) of \(connection.count) has given no sign of life for "
                        + "\(MPIHeartbeat.patience) seconds: it hangs, or its machine or network is gone; all processes end",
                    code: MPIConnection.lostCode)
            }
            guard isFinishing, active.isEmpty else { continue }
            if try heartbeat.end() {
                connection.finalize()
                orders.update { $0.isFinished = true }
                return
            }
            usleep(200)
        }
    }

    /// Makes progress on messages; returns whether any completed.
    private mutating func advance() throws(CommunicationError) -> Bool {
        var hasMoved = false
        for index in active.indices {
            var rest: [MPIRequest] = []
            for var request in active[index].requests {
                if try connection.isDone(&request) { hasMoved = true } else { rest.append(request) }
            }
            active[index].requests = rest
            if rest.isEmpty { active[index].transfer.finish() }
        }
        active.removeAll { $0.requests.isEmpty }
        return hasMoved
    }

    /// Ends all processes for this one. Process 0 reports for all, since they often fail alike.
    private mutating func end(_ failure: MPIFailure) throws(CommunicationError) {
        if connection.rank != 0 {
            try heartbeat.tell(failure)
            // Process 0 ends this one, unless it hangs.
            for _ in 0..<2000 where !heartbeat.isTold {
                usleep(5000)
                try heartbeat.keep()
            }
            sleep(10)
        }
        connection.end(report, failure.sentence, code: failure.code)
    }

    /// Ends all processes because of another one's failure, unless this one fails by itself meanwhile.
    private func endForOther(_ failure: MPIFailure, of rank: Int) {
        let own = orders.update(waiting: 500_000_000, until: { $0.failure != nil }) { $0.failure }
        if let own { connection.end(report, own.sentence, code: own.code) }
        let sentence = failure.sentence.isEmpty ? "" : "process \(rank): \(failure.sentence)"
        connection.end(report, sentence, code: failure.code)
    }
}

/// How long to sleep between polls, which leaves the cores to the computation.
private struct Pause {
    /// Bytes of a message that does not fit into a socket's memory, so that it moves on with every poll alone.
    static let largeMessage = 1 << 16

    private var looks = 0

    mutating func reset() { looks = 0 }

    mutating func nanoseconds(isBusy: Bool, isMovingMuch: Bool) -> Int {
        guard isBusy else { return 20_000_000 }
        looks += 1
        if looks < (isMovingMuch ? 2000 : 20) { return 0 }
        if isMovingMuch { return 20_000 }
        return looks < 400 ? 100_000 : 1_000_000
    }
}
