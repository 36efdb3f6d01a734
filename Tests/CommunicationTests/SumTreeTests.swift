import Communication
import TestTools
import Testing

@Suite struct SumTreeTests {
    /// Parts whose sum depends on the order.
    private static func part(_ index: Int, count: Int) -> [Float] {
        (0..<count).map { Float((index * 7919 + $0 * 104_729) % 1013) * 0.37 - 151 + Float(index) * 1e4 }
    }

    /// The sum by its definition: neighbours in pairs, then the sums of pairs.
    private static func reference(_ parts: [[Float]]) -> [Float] {
        if parts.count == 1 { return parts[0] }
        return reference(
            stride(from: 0, to: parts.count, by: 2).map { first in
                first + 1 < parts.count ? zip(parts[first], parts[first + 1]).map { $0 + $1 } : parts[first]
            })
    }

    @Test(arguments: [1, 2, 3, 4, 6, 7, 8, 12, 24])
    func sumIsTheSameForEveryNumberOfProcesses(parts count: Int) throws {
        let size = 50_000
        let tree = SumTree(count: count)
        let expected = Self.reference((0..<count).map { Self.part($0, count: size) })
        for processes in tree.processCounts {
            let sums = try ThreadCommunicator.run(processes) { communicator in
                Self.sum(tree, size: size, communicator)
            }
            for sum in sums { #expect(sum == expected) }
        }
    }

    /// More pieces than are on their way at a time.
    @Test(arguments: [2, 3, 6])
    func sumsMoveInPieces(processes: Int) throws {
        let tree = SumTree(count: 12)
        let expected = Self.reference((0..<12).map { Self.part($0, count: 30_001) })
        let sums = try ThreadCommunicator.run(processes) { Self.sum(tree, size: 30_001, messageSize: 100, $0) }
        for sum in sums { #expect(sum == expected) }
    }

    /// Adds this process's parts, and then those of all.
    private static func sum(
        _ tree: SumTree, size: Int, messageSize: Int = 1 << 18, _ communicator: any Communicator
    ) -> [Float] {
        var stack = SumStack<[Float]>()
        for index in tree.parts(of: communicator.rank, among: communicator.count) {
            stack.push(part(index, count: size), at: .init(level: 0, index: index)) { zip($0, $1).map { $0 + $1 } }
        }
        let buffers = stack.sums.map { sum in
            let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: size)
            _ = buffer.initialize(from: sum)
            return buffer
        }
        defer { for buffer in buffers { buffer.deallocate() } }
        // The last of the sums takes the result, as the gradients of a step do.
        communicator.sum(buffers, over: tree, into: buffers[buffers.count - 1], messageSize: messageSize)
        return Array(buffers[buffers.count - 1])
    }

    @Test func sumsOfFewNumbersLeaveProcessesWithoutOne() throws {
        let tree = SumTree(count: 8)
        let expected = Self.reference((0..<8).map { Self.part($0, count: 5) })
        let sums = try ThreadCommunicator.run(8) { Self.sum(tree, size: 5, $0) }
        for sum in sums { #expect(sum == expected) }
    }

    @Test func processesHoldWholeSubtreesWhereTheyCan() {
        #expect(SumTree(count: 8).nodes(of: 4..<8) == [.init(level: 2, index: 1)])
        #expect(SumTree(count: 6).nodes(of: 3..<6) == [.init(level: 0, index: 3), .init(level: 1, index: 2)])
        #expect(SumTree(count: 12).processCounts == [1, 2, 3, 4, 6, 12])
        #expect([1, 2, 3, 4, 8].map { SumTree.depth(parts: 0..<$0) } == [0, 1, 1, 2, 3])
    }
}
