import Compute
import Foundation
import Support
import Synchronization
import Testing

private final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .relaxed) }
    func increment() { count.add(1, ordering: .relaxed) }
}

@Suite struct WorkerPoolTests {
    @Test(arguments: [1, 2, 5])
    func everyTaskRunsOnce(threads: Int) {
        let pool = WorkerPool(threadCount: threads)
        for taskCount in [0, 1, 2, 7, 1000] {
            let seen = Locked([Int](repeating: 0, count: taskCount))
            pool.run(taskCount) { task, worker in
                #expect((0..<threads).contains(worker))
                seen.withLock { $0[task] += 1 }
            }
            #expect(seen.withLock { $0 } == [Int](repeating: 1, count: taskCount))
        }
    }

    @Test func callersTakeTurns() async {
        let pool = WorkerPool(threadCount: 2)
        let sum = Counter()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<50 { pool.run(10) { _, _ in sum.increment() } }
                }
            }
        }
        #expect(sum.value == 8 * 50 * 10)
    }

    /// Threads that come late to a short loop find the next one under way; others have gone to sleep by then.
    @Test func shortLoopsFollowOneAnother() {
        let pool = WorkerPool(threadCount: 4)
        let sum = Counter()
        var expected = 0
        for loop in 0..<20_000 {
            if loop % 1000 == 0 { usleep(2000) }
            let taskCount = 2 + loop % 5
            pool.run(taskCount) { task, _ in
                for _ in 0...task { sum.increment() }
            }
            expected += taskCount * (taskCount + 1) / 2
            #expect(sum.value == expected)
        }
    }

    @Test func poolsEndWithTheirOwner() {
        for _ in 0..<200 {
            let pool = WorkerPool(threadCount: 3)
            let count = Counter()
            pool.run(5) { _, _ in count.increment() }
            #expect(count.value == 5)
        }
    }

    /// Of five threads that are asked for, the system gives as many as `available` beside the caller's.
    @Test(arguments: 0...4)
    func fewerThreadsDoAllTheWork(available: Int) {
        var started = 0
        let pool = WorkerPool(threadCount: 5) { body in
            guard started < available else { return false }
            started += 1
            return WorkerPool.startDetached(body)
        }
        #expect(pool.threadCount == 1 + available)
        let seen = Locked([Int](repeating: 0, count: 1000))
        pool.run(1000) { task, worker in
            #expect((0..<pool.threadCount).contains(worker))
            seen.withLock { $0[task] += 1 }
        }
        #expect(seen.withLock { $0 } == [Int](repeating: 1, count: 1000))
    }
}
