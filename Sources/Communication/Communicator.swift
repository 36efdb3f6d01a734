/// Processes that work together, each with a rank from 0 to `count` − 1.
///
/// All of them call the same collective operations in the same order. Only bytes are
/// moved; the receiver combines them, in an order that does not depend on what arrives first.
package protocol Communicator: AnyObject, Sendable {
    /// The rank of this process.
    var rank: Int { get }
    /// The number of processes.
    var count: Int { get }
    /// Starts sending and receiving messages. Between two processes they arrive in the order in which they were started.
    ///
    /// The memory of all messages must stay valid, and that of received ones untouched, until the transfer is done.
    func start(_ messages: [Message]) -> any Transfer
    /// Waits for all processes and disconnects. Returns the `code` of process 0 in every process.
    func finish(_ code: Int32) -> Int32
    /// Ends all processes because this one cannot go on: process 0 reports the sentence, and `code` is the exit code.
    func fail(_ sentence: String?, code: Int32) -> Never
}

/// Messages being sent or received.
package protocol Transfer: Sendable {
    /// Waits until all messages are complete and their memory may be reused.
    func wait()
}

/// Bytes to send to another process, or to receive from it.
@safe package struct Message: @unchecked Sendable {
    package enum Direction: Sendable { case send, receive }

    package let direction: Direction
    /// The other process.
    package let peer: Int
    package let bytes: UnsafeMutableRawBufferPointer

    package static func send(_ bytes: UnsafeRawBufferPointer, to peer: Int) -> Message {
        unsafe Message(direction: .send, peer: peer, bytes: UnsafeMutableRawBufferPointer(mutating: bytes))
    }

    package static func receive(_ bytes: UnsafeMutableRawBufferPointer, from peer: Int) -> Message {
        unsafe Message(direction: .receive, peer: peer, bytes: bytes)
    }
}

extension Communicator {
    /// Whether this is process 0, which writes files and prints.
    package var isFirst: Bool { rank == 0 }
    /// Whether this is the only process.
    package var isAlone: Bool { count == 1 }
}

/// A single process: loads nothing, sends nothing.
package final class SingleProcess: Communicator {
    package init() {}

    package var rank: Int { 0 }
    package var count: Int { 1 }

    package func start(_ messages: [Message]) -> any Transfer {
        precondition(
            messages.isEmpty, "SingleProcess: there is nobody to exchange \(messages.count) messages with")
        return Done()
    }

    private struct Done: Transfer {
        func wait() {}
    }

    package func finish(_ code: Int32) -> Int32 { code }

    package func fail(_ sentence: String?, code: Int32) -> Never {
        preconditionFailure("SingleProcess: a single process ends by its own error")
    }
}
