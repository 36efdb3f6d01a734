import Communication
import Support

/// Processes of a test: threads of this one, which copy each other's messages.
package final class ThreadCommunicator: Communicator {
    package let rank: Int
    package let count: Int
    private let mail: Monitor<[Route: [[UInt8]]]>

    struct Route: Hashable {
        let source: Int
        let target: Int
    }

    private init(rank: Int, count: Int, mail: Monitor<[Route: [[UInt8]]]>) {
        (self.rank, self.count, self.mail) = (rank, count, mail)
    }

    /// Runs `body` in `count` threads at once, each with its communicator; returns what they return.
    package static func run<Result: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (any Communicator) throws -> Result
    ) throws -> [Result] {
        let mail = Monitor<[Route: [[UInt8]]]>([:])
        let results = Monitor<[Int: Swift.Result<Result, any Error>]>([:])
        for rank in 0..<count {
            let thread = Thread {
                let result = Swift.Result {
                    try body(count == 1 ? SingleProcess() : ThreadCommunicator(rank: rank, count: count, mail: mail))
                }
                results.update { $0[rank] = result }
            }
            thread?.detach()
        }
        // Where one fails, the others wait for it.
        return try results.wait { results in
            results.count == count || results.values.contains { (try? $0.get()) == nil }
                ? Swift.Result { try results.sorted { $0.key < $1.key }.map { try $0.value.get() } } : nil
        }.get()
    }

    package func start(_ messages: [Message]) -> any Transfer {
        let messages = messages.filter { unsafe !$0.bytes.isEmpty }
        for message in messages where message.direction == .send {
            let bytes = unsafe [UInt8](message.bytes)
            mail.update { $0[Route(source: rank, target: message.peer), default: []].append(bytes) }
        }
        return Pending(rank: rank, mail: mail, messages: messages.filter { $0.direction == .receive })
    }

    package func finish(_ code: Int32) -> Int32 { Int32(broadcast([UInt8(code)])[0]) }

    package func fail(_ sentence: String?, code: Int32) -> Never {
        preconditionFailure("ThreadCommunicator: \(sentence ?? "failed")")
    }

    private final class Pending: Transfer {
        private let rank: Int
        private let mail: Monitor<[Route: [[UInt8]]]>
        private let messages: [Message]

        init(rank: Int, mail: Monitor<[Route: [[UInt8]]]>, messages: [Message]) {
            (self.rank, self.mail, self.messages) = (rank, mail, messages)
        }

        func wait() {
            for message in messages {
                let route = Route(source: message.peer, target: rank)
                let bytes = mail.wait { mail in
                    mail[route, default: []].isEmpty ? nil : mail[route, default: []].removeFirst()
                }
                precondition(
                    unsafe bytes.count == message.bytes.count,
                    "ThreadCommunicator: expected \(unsafe message.bytes.count) bytes, got \(bytes.count)")
                unsafe message.bytes.copyBytes(from: bytes)
            }
        }
    }
}
