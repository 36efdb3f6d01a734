import LibC
import Support

/// Processes that MPI connects.
///
/// One thread makes all calls of the library. It moves messages while others compute, and notices when a process falls
/// silent.
package final class MPICommunicator: Communicator {
    package let rank: Int
    package let count: Int
    private let orders: Monitor<MPIThread.Orders>

    /// Joins the processes that a launcher started together with this one.
    ///
    /// Call it once, and after signals are blocked that a thread of its own waits for.
    /// - Parameter report: prints a sentence for people; may be called on another thread.
    package init(_ launch: Launch, report: @escaping @Sendable (String) -> Void) throws(CommunicationError) {
        let orders = Monitor(MPIThread.Orders())
        self.orders = orders
        guard let thread = Thread({ MPIThread.run(launch, orders, report) }) else {
            throw CommunicationError("no thread can be started for MPI; allow this process more of them")
        }
        thread.detach()
        let joined = orders.wait { $0.joined }
        switch joined {
        case .failure(let error): throw error
        case .success(let place): (rank, count) = place
        }
    }

    package func start(_ messages: [Message]) -> any Transfer {
        let transfer = MPITransfer()
        orders.update { $0.transfers.append((transfer, messages)) }
        return transfer
    }

    package func finish(_ code: Int32) -> Int32 {
        let agreed = broadcast([UInt8(truncatingIfNeeded: code)])
        barrier()
        orders.update { $0.isFinishing = true }
        // Everything is written. A library that does not come to its end must not keep a cluster busy.
        let end = MPIHeartbeat.now + 60
        while !orders.update(waiting: 100_000_000, until: \.isFinished, { $0.isFinished }) {
            if MPIHeartbeat.now > end { _exit(Int32(agreed[0])) }
        }
        return Int32(agreed[0])
    }

    package func fail(_ sentence: String?, code: Int32) -> Never {
        orders.update { orders in
            if orders.failure == nil { orders.failure = MPIFailure(sentence: sentence ?? "", code: code) }
        }
        // The other thread ends the process.
        while true { sleep(1) }
    }
}

/// A transfer of the thread that calls MPI.
final class MPITransfer: Transfer {
    private let isDone = Monitor(false)

    func wait() { isDone.wait { $0 ? () : nil } }

    func finish() { isDone.update { $0 = true } }
}

/// Why all processes end.
struct MPIFailure: Sendable {
    /// The size of the message: an exit code and a sentence, truncated if it is longer.
    static let byteCount = 4096

    /// Empty if it was already printed.
    var sentence: String
    var code: Int32

    init(sentence: String, code: Int32) { (self.sentence, self.code) = (sentence, code) }

    init(_ bytes: [UInt8]) {
        code = Int32(bytes[0])
        sentence = String(decoding: bytes.dropFirst().prefix { $0 != 0 }, as: UTF8.self)
    }

    var bytes: [UInt8] {
        let text = sentence.utf8.prefix(Self.byteCount - 2)
        return [UInt8(truncatingIfNeeded: code)] + text + [UInt8](repeating: 0, count: Self.byteCount - 1 - text.count)
    }
}
