import Support
import Testing

struct LockedTests {
    private struct Refused: Error, Equatable {}

    @Test func threadsTakeTurns() {
        let counts = Locked([0, 0])
        let threads = (0..<4).compactMap { number in
            Thread {
                for _ in 0..<1000 { counts.withLock { $0[number % 2] += 1 } }
            }
        }
        for thread in threads { thread.join() }
        #expect(threads.count == 4 && counts.withLock { $0 } == [2000, 2000])
    }

    @Test func anErrorLeavesItFree() {
        let count = Locked(1)
        #expect(throws: Refused()) {
            try count.withLock { count throws(Refused) in
                count = 2
                throw Refused()
            }
        }
        #expect(count.withLock { $0 } == 2)
    }
}
