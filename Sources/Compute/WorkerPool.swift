import Support

/// Threads that share the tasks of one loop at a time.
///
/// Which thread runs a task is left to chance; tasks must therefore write to disjoint places and not depend on the
/// worker's number, except to use scratch memory of its own. Then results do not depend on the number of threads.
package final class WorkerPool: Sendable {
    /// The number of threads that work, the caller's included: those asked for, or as many as the system has.
    package let threadCount: Int
    private let loop = SharedLoop()
    private let callers = Locked<Void>(())

    /// Starts `threadCount - 1` threads; the thread that calls `run` is the remaining one. Where the system refuses one,
    /// those before it do the work.
    ///
    /// - Parameter start: starts a thread that nobody waits for; false where there is none to be had.
    package init(
        threadCount: Int,
        start: (_ body: @escaping @Sendable () -> Void) -> Bool = WorkerPool.startDetached
    ) {
        precondition(threadCount >= 1, "WorkerPool: expected at least one thread, got \(threadCount)")
        var count = 1
        // The threads see the loop alone: they must not keep the pool alive.
        while count < threadCount, start({ [loop, count] in loop.serve(as: count) }) { count += 1 }
        self.threadCount = count
    }

    /// Starts a thread of the system's.
    package static func startDetached(_ body: @escaping @Sendable () -> Void) -> Bool {
        guard let thread = Thread(body) else { return false }
        thread.detach()
        return true
    }

    deinit { loop.stop() }

    /// Calls `body(task, worker)` once for every task in `0..<taskCount` and returns when all are done.
    ///
    /// `worker` is below `threadCount`; no two calls with the same worker run at the same time.
    package func run(_ taskCount: Int, _ body: (_ task: Int, _ worker: Int) -> Void) {
        if taskCount <= 0 { return }
        callers.withLock { _ in
            if threadCount == 1 || taskCount == 1 {
                for task in 0..<taskCount { body(task, 0) }
            } else {
                withoutActuallyEscaping(body) { body in
                    unsafe withUnsafePointer(to: SharedLoop.Body(call: body)) { unsafe loop.run(taskCount, $0) }
                }
            }
        }
    }
}
