import Support
import Testing

struct ThreadTests {
    @Test func aThreadIsJoinedAfterItsClosure() throws {
        let monitor = Monitor(0)
        let threads = try (1...4).map { number in
            try #require(Thread { monitor.update { $0 += number } })
        }
        for thread in threads { thread.join() }
        #expect(monitor.update { $0 } == 10)
    }

    /// Each thread waits for the one before it, which has to wake it.
    @Test func waitingThreadsAreWokenByChanges() throws {
        let monitor = Monitor<[Int]>([])
        for number in (0..<5).reversed() {
            let thread = Thread {
                monitor.wait { order in order.count == number ? order.append(number) : nil }
            }
            try #require(thread).detach()
        }
        #expect(monitor.wait { $0.count == 5 ? $0 : nil } == [0, 1, 2, 3, 4])
    }

    @Test func aConditionVariableWakesEverySleeper() throws {
        let condition = ConditionVariable()
        let isOpen = Monitor(false)
        let threads = try (0..<3).map { _ in
            try #require(
                Thread {
                    condition.withLock {
                        while !isOpen.update({ $0 }) { condition.wait() }
                    }
                })
        }
        condition.withLock {
            isOpen.update { $0 = true }
            condition.broadcast()
        }
        for thread in threads { thread.join() }
    }
}
