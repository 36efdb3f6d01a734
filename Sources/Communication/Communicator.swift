/// Processes that work together, each with a number from 0 to `count` − 1.
///
/// All of them call the same collective operations in the same order. Nothing is added or chosen on the way: bytes move,
/// and whoever gets them combines them in an order that does not depend on what arrives first.
package protocol Communicator: AnyObject, Sendable {
    /// Which of the processes this is.
    var rank: Int { get }
    /// How many there are.
    var count: Int { get }
    /// Starts to move messages. Between two processes they arrive in the order in which they were started.
    ///
    /// The memory of all messages must stay valid, and that of received ones untouched, until the transfer is done.
    func start(_ messages: [Message]) -> any Transfer
    /// Waits for all processes, and leaves them. `code` of process 0 is returned everywhere.
    func finish(_ code: Int32) -> Int32
    /// Ends all processes because this one cannot go on: process 0 reports the sentence, and `code` is the exit code.
    func fail(_ sentence: String?, code: Int32) -> Never
}

/// Messages on their way.
package protocol Transfer: Sendable {
    /// Waits until all have arrived, and the memory that they came from is free.
    func wait()
}

/// Bytes that go to another process or come from it.
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
    /// Whether this process writes files and speaks to the user.
    package var isFirst: Bool { rank == 0 }
    /// Whether there is nobody else.
    package var isAlone: Bool { count == 1 }
}

/// A process that was started alone: nothing is loaded, nothing moves.
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
