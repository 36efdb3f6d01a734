import Support

/// The results of independent work items, computed ahead on threads of its own and delivered in order.
///
/// At most `lookAhead` results are finished or in progress beyond those delivered, so memory is bounded. Releasing the
/// prefetcher stops each thread after its current item. One thread at a time may call `next`.
package final class OrderedPrefetcher<Output: Sendable>: Sequence, IteratorProtocol {
    private struct State {
        /// The first index that no thread has claimed.
        var unclaimed = 0
        /// The index that `next` returns next.
        var next = 0
        var isStopped = false
        /// Finished results of `next ..< next + lookAhead`, at their index modulo `lookAhead`.
        var results: [Output?]
    }

    private let count: Int
    private let lookAhead: Int
    private let work: @Sendable (Int) -> Output
    private let monitor: Monitor<State>
    private var threads: [Thread] = []

    /// Starts on `work(0)`, `work(1)`, … up to `count`.
    ///
    /// - Parameters:
    ///   - threads: at least 1; without effect on the results.
    ///   - lookAhead: how many results may be finished or in progress at a time; at least 1.
    ///   - work: called once for each index, on any thread, in any order.
    package init(count: Int, threads: Int, lookAhead: Int, work: @escaping @Sendable (Int) -> Output) {
        precondition(count >= 0, "OrderedPrefetcher: expected a count of 0 or more, got \(count)")
        precondition(threads >= 1, "OrderedPrefetcher: expected at least 1 thread, got \(threads)")
        precondition(lookAhead >= 1, "OrderedPrefetcher: expected a look-ahead of at least 1, got \(lookAhead)")
        self.count = count
        self.lookAhead = Swift.min(lookAhead, Swift.max(1, count))
        self.work = work
        monitor = Monitor(State(results: Array(repeating: nil, count: self.lookAhead)))
        // The threads refer to the monitor, not to the prefetcher, which would never be released.
        let (monitor, lookAhead) = (monitor, self.lookAhead)
        for _ in 0..<Swift.min(threads, self.lookAhead, count) {
            let run = { @Sendable in Self.run(monitor, count: count, lookAhead: lookAhead, work: work) }
            guard let thread = Thread(run) else { break }
            self.threads.append(thread)
        }
    }

    deinit {
        monitor.update { $0.isStopped = true }
        for thread in threads { thread.join() }
    }

    private static func run(
        _ monitor: Monitor<State>, count: Int, lookAhead: Int, work: @Sendable (Int) -> Output
    ) {
        while true {
            let claimed: Int = monitor.wait { state in
                if state.isStopped || state.unclaimed == count { return count }
                guard state.unclaimed < state.next + lookAhead else { return nil }
                defer { state.unclaimed += 1 }
                return state.unclaimed
            }
            if claimed == count { return }
            let result = work(claimed)
            monitor.update { $0.results[claimed % lookAhead] = result }
        }
    }

    /// The next result in order, waiting for it if necessary; nil after the last.
    package func next() -> Output? {
        if threads.isEmpty { return nextOnThisThread() }
        let (count, lookAhead) = (count, lookAhead)
        return monitor.wait { state -> Output?? in
            if state.next == count { return .some(nil) }
            guard let result = state.results[state.next % lookAhead] else { return nil }
            state.results[state.next % lookAhead] = nil
            state.next += 1
            return result
        }
    }

    /// What `next` does if no thread could be started.
    private func nextOnThisThread() -> Output? {
        let (count, work) = (count, work)
        return monitor.update { state in
            if state.next == count { return nil }
            defer { state.next += 1 }
            return work(state.next)
        }
    }
}
