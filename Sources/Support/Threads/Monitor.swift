/// State that several threads share: a lock around it, and a way to wait until it has changed.
@safe package final class Monitor<State>: @unchecked Sendable {
    private let condition = ConditionVariable()
    private var state: State

    package init(_ state: sending State) { self.state = state }

    /// Changes the state under the lock and wakes every thread that waits.
    package func update<Result>(_ change: (inout State) -> Result) -> Result {
        condition.withLock {
            defer { condition.broadcast() }
            return change(&state)
        }
    }

    /// Waits until `take` gives a value; each time another thread has updated the state, it is asked again.
    ///
    /// `take` may change the state, and wakes the others if it gave a value.
    package func wait<Result>(until take: (inout State) -> Result?) -> Result {
        condition.withLock {
            while true {
                if let result = take(&state) {
                    condition.broadcast()
                    return result
                }
                condition.wait()
            }
        }
    }

    /// Changes the state like `update`, after waiting for at most some nanoseconds while `isReady` says no.
    package func update<Result>(
        waiting nanoseconds: Int, until isReady: (State) -> Bool, _ change: (inout State) -> Result
    ) -> Result {
        condition.withLock {
            if nanoseconds > 0, !isReady(state) { condition.wait(nanoseconds: nanoseconds) }
            defer { condition.broadcast() }
            return change(&state)
        }
    }
}
