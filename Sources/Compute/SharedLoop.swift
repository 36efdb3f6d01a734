import CKernels
import LibC
import Support
import Synchronization

/// The loop that the threads of a pool share: one after the other, without locks and without a new object for each.
@safe
final class SharedLoop: @unchecked Sendable {
    /// What is run for each task; in a structure, so that a pointer to it leads to the function itself.
    struct Body {
        let call: (_ task: Int, _ worker: Int) -> Void
    }

    /// The number of the loop in the upper half, how many of its tasks nobody has taken in the lower.
    ///
    /// Both change at once, so that a thread that comes late cannot take a task of a later loop for one of its own: while
    /// there are tasks left, `taskCount` and `body` are those of this loop.
    private let ticket = Atomic<UInt64>(0)
    private let taskCount = Atomic<Int>(0)
    private let body = unsafe Atomic<UnsafePointer<Body>?>(nil)
    private let doneCount = Atomic<Int>(0)
    private let isStopped = Atomic<Bool>(false)
    /// Where the threads sleep between loops, and how many do.
    private let sleep = ConditionVariable()
    private let sleeperCount = Atomic<Int>(0)
    private static let lowerHalf: UInt64 = 0xffff_ffff

    /// Runs all tasks with the help of the threads that serve.
    func run(_ taskCount: Int, _ body: UnsafePointer<Body>) {
        self.taskCount.store(taskCount, ordering: .relaxed)
        unsafe self.body.store(body, ordering: .relaxed)
        doneCount.store(0, ordering: .relaxed)
        announce(taskCount: taskCount)
        work(as: 0)
        // A thread that the system keeps from running holds up nothing but the task that it has taken.
        var spins = 0
        while doneCount.load(ordering: .acquiring) != taskCount {
            spins += 1
            if spins < 4000 { vit_spin_pause() } else { sched_yield() }
        }
    }

    /// Works on every loop that begins until the pool ends.
    func serve(as worker: Int) {
        var seen: UInt64 = 0
        while true {
            waitForLoop(after: seen)
            seen = number
            if isStopped.load(ordering: .acquiring) { return }
            work(as: worker)
        }
    }

    func stop() {
        isStopped.store(true, ordering: .releasing)
        announce(taskCount: 0)
    }

    private var number: UInt64 { ticket.load(ordering: .sequentiallyConsistent) >> 32 }

    private func announce(taskCount: Int) {
        // A thread that is not counted yet still has to look at the ticket, and finds this one: all four accesses are
        // sequentially consistent.
        ticket.store((number &+ 1) << 32 | UInt64(taskCount), ordering: .sequentiallyConsistent)
        if sleeperCount.load(ordering: .sequentiallyConsistent) == 0 { return }
        sleep.withLock { sleep.broadcast() }
    }

    private func work(as worker: Int) {
        var count = 0
        while let (body, task) = unsafe takeTask() {
            unsafe body.pointee.call(task, worker)
            count += 1
        }
        if count > 0 { doneCount.add(count, ordering: .releasing) }
    }

    private func takeTask() -> (body: UnsafePointer<Body>, task: Int)? {
        var seen = ticket.load(ordering: .acquiring)
        while seen & Self.lowerHalf > 0 {
            let task = taskCount.load(ordering: .relaxed) - Int(seen & Self.lowerHalf)
            let body = unsafe self.body.load(ordering: .relaxed)
            let attempt = ticket.weakCompareExchange(expected: seen, desired: seen - 1, ordering: .acquiring)
            if attempt.exchanged { return unsafe body.map { unsafe ($0, task) } }
            seen = attempt.original
        }
        return nil
    }

    /// Spins for the few microseconds between two operations of a model, then sleeps.
    private func waitForLoop(after seen: UInt64) {
        for _ in 0..<4000 {
            if ticket.load(ordering: .relaxed) >> 32 != seen { return }
            vit_spin_pause()
        }
        sleeperCount.add(1, ordering: .sequentiallyConsistent)
        sleep.withLock {
            while number == seen { sleep.wait() }
        }
        sleeperCount.subtract(1, ordering: .relaxed)
    }
}
