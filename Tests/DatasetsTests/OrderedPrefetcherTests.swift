import Support
import Synchronization
import Testing

import Datasets

@Suite struct OrderedPrefetcherTests {
    /// Work of uneven size, so that pieces end out of order.
    @Sendable private static func uneven(_ index: Int) -> Int {
        var value = UInt64(index)
        for _ in 0..<(index * 7919 % 13) * 200 { value = value &* 6_364_136_223_846_793_005 &+ 1 }
        return value == 42 ? -1 : index * 3
    }

    @Test(arguments: [(1, 1), (1, 4), (2, 1), (2, 3), (4, 4), (8, 64)])
    func resultsComeInOrder(threads: Int, lookAhead: Int) {
        let prefetcher = OrderedPrefetcher(count: 500, threads: threads, lookAhead: lookAhead, work: Self.uneven)
        #expect(Array(prefetcher) == (0..<500).map { $0 * 3 })
        #expect(prefetcher.next() == nil)
    }

    @Test func nothingToDo() {
        #expect(OrderedPrefetcher(count: 0, threads: 4, lookAhead: 4, work: Self.uneven).next() == nil)
    }

    @Test func optionalResultsAreResults() {
        let prefetcher = OrderedPrefetcher(count: 4, threads: 2, lookAhead: 2) { $0.isMultiple(of: 2) ? $0 : nil }
        #expect(Array(prefetcher) == [0, nil, 2, nil])
    }

    @Test func lookAheadIsBoundedAndEachIndexIsWorkedOnce() {
        final class Log: Sendable {
            let consumed = Atomic(0)
            let farthest = Atomic(0)
            let calls = Locked([Int](repeating: 0, count: 200))
        }
        let log = Log()
        let prefetcher = OrderedPrefetcher(count: 200, threads: 4, lookAhead: 5) { index in
            log.farthest.max(index - log.consumed.load(ordering: .sequentiallyConsistent), ordering: .relaxed)
            log.calls.withLock { $0[index] += 1 }
            return Self.uneven(index)
        }
        while prefetcher.next() != nil { log.consumed.add(1, ordering: .sequentiallyConsistent) }
        // One result may be taken before it is counted as consumed.
        #expect(log.farthest.load(ordering: .relaxed) <= 5)
        #expect(log.calls.withLock { $0.allSatisfy { $0 == 1 } })
    }

    @Test func droppingMidwayStopsAndReleasesEverything() {
        final class Token: Sendable {}
        weak var released: Token?
        for taken in [0, 1, 7] {
            do {
                let token = Token()
                released = token
                let started = Atomic(0)
                let counter = UncheckedCounter()
                do {
                    let prefetcher = OrderedPrefetcher(count: 1_000_000, threads: 3, lookAhead: 4) { index in
                        counter.add()
                        return (token, index)
                    }
                    for index in 0..<taken { #expect(prefetcher.next()?.1 == index) }
                }
                started.store(counter.value, ordering: .relaxed)
                // The threads have been joined: nothing more is begun.
                #expect(counter.value <= taken + 4)
                #expect(started.load(ordering: .relaxed) == counter.value)
            }
            #expect(released == nil)
        }
    }

    private final class UncheckedCounter: Sendable {
        private let count = Atomic(0)
        func add() { count.add(1, ordering: .relaxed) }
        var value: Int { count.load(ordering: .relaxed) }
    }
}
