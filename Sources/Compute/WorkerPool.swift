import CKernels
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Threads that share the tasks of one loop at a time.
///
/// Which thread runs a task is left to chance; tasks must therefore write to disjoint places and not depend on the
/// worker's number, except to use scratch memory of its own. Then results do not depend on the number of threads.
package final class WorkerPool: Sendable {
    /// A loop under way: what to run, how many tasks there are, how many have been taken and how many are done.
    @safe
    private final class Loop: @unchecked Sendable {
        // A pointer, since a reference in the hands of a late thread would let the closure outlive its scope.
        private let body: UnsafePointer<(Int, Int) -> Void>
        private let taskCount: Int
        private let nextTask = Atomic<Int>(0)
        private let doneCount = Atomic<Int>(0)

        /// Whether nobody will use `body` any more: a thread that comes later finds no task left.
        var isDone: Bool { doneCount.load(ordering: .acquiring) == taskCount }

        init(taskCount: Int, body: UnsafePointer<(Int, Int) -> Void>) {
            unsafe self.body = unsafe body
            self.taskCount = taskCount
        }

        func work(as worker: Int) {
            var count = 0
            while true {
                let task = nextTask.add(1, ordering: .relaxed).oldValue
                if task >= taskCount { break }
                unsafe body.pointee(task, worker)
                count += 1
            }
            doneCount.add(count, ordering: .releasing)
        }
    }

    private struct State {
        var loop: Loop?
        var stopped = false
    }

    /// The number of threads that work, the caller's included.
    package let threadCount: Int
    private let shared: Shared
    private let callers = Mutex<Void>(())

    /// What the threads see of the pool; they must not keep the pool itself alive.
    private final class Shared: Sendable {
        let state = Mutex(State())
        let generation = Atomic<Int>(0)
        let bell = Bell()
    }

    /// Starts `threadCount - 1` threads; the thread that calls `run` is the remaining one.
    package init(threadCount: Int) {
        precondition(threadCount >= 1, "WorkerPool: expected at least one thread, got \(threadCount)")
        self.threadCount = threadCount
        let shared = Shared()
        self.shared = shared
        for worker in 1..<max(threadCount, 1) {
            Self.startThread { Self.serve(shared, as: worker) }
        }
    }

    deinit {
        shared.state.withLock { $0.stopped = true }
        shared.generation.add(1, ordering: .releasing)
        shared.bell.ring()
    }

    /// Calls `body(task, worker)` once for every task in `0..<taskCount` and returns when all are done.
    ///
    /// `worker` is below `threadCount`; no two calls with the same worker run at the same time.
    package func run(_ taskCount: Int, _ body: (_ task: Int, _ worker: Int) -> Void) {
        if taskCount <= 0 { return }
        callers.withLock { _ in
            if threadCount == 1 || taskCount == 1 {
                for task in 0..<taskCount { body(task, 0) }
            } else {
                runShared(taskCount, body)
            }
        }
    }

    private func runShared(_ taskCount: Int, _ body: (Int, Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            unsafe withUnsafePointer(to: body) { body in
                runToEnd(unsafe Loop(taskCount: taskCount, body: body))
            }
        }
    }

    private func runToEnd(_ loop: Loop) {
        shared.state.withLock { $0.loop = loop }
        shared.generation.add(1, ordering: .releasing)
        shared.bell.ring()
        loop.work(as: 0)
        // A thread that the system keeps from running holds up nothing but the task that it has taken.
        var spins = 0
        while !loop.isDone {
            spins += 1
            if spins < 4000 { vit_spin_pause() } else { sched_yield() }
        }
        shared.state.withLock { $0.loop = nil }
    }

    private static func serve(_ shared: Shared, as worker: Int) {
        var seen = 0
        while true {
            waitForChange(of: shared, from: seen)
            seen = shared.generation.load(ordering: .acquiring)
            let (loop, stopped) = shared.state.withLock { ($0.loop, $0.stopped) }
            if stopped { return }
            guard let loop else { continue }
            loop.work(as: worker)
        }
    }

    /// Spins for the few microseconds between two operations of a model, then sleeps.
    private static func waitForChange(of shared: Shared, from seen: Int) {
        for _ in 0..<4000 where shared.generation.load(ordering: .relaxed) == seen {
            vit_spin_pause()
        }
        shared.bell.wait { shared.generation.load(ordering: .acquiring) != seen }
    }

    private static func startThread(_ body: @escaping @Sendable () -> Void) {
        let box = unsafe Unmanaged.passRetained(ThreadBody(body))
        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        precondition(status == 0, "WorkerPool: the system refuses another thread (error \(status))")
        pthread_detach(thread)
    }
}

private final class ThreadBody {
    let run: () -> Void
    init(_ run: @escaping () -> Void) { self.run = run }
}
