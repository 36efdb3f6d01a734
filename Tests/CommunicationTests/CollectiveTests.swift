import Communication
import TestTools
import Testing

@Suite struct CollectiveTests {
    @Test(arguments: [1, 2, 3, 5, 8])
    func bytesOfProcessZeroReachAll(count: Int) throws {
        let bytes = (0..<1000).map { UInt8($0 % 251) }
        let results = try ThreadCommunicator.run(count) { $0.broadcast($0.isFirst ? bytes : [9]) }
        #expect(results == Array(repeating: bytes, count: count))
    }

    @Test(arguments: [1, 2, 5])
    func bytesOfAllReachProcessZeroInOrder(count: Int) throws {
        let results = try ThreadCommunicator.run(count) { communicator in
            communicator.barrier()
            // Also one without any.
            return communicator.gather([UInt8](repeating: UInt8(communicator.rank), count: communicator.rank))
        }
        #expect(results[0] == (0..<count).map { [UInt8](repeating: UInt8($0), count: $0) })
        #expect(results.dropFirst().allSatisfy { $0.isEmpty })
    }

    @Test func oneProcessTalksToNobody() {
        let process = SingleProcess()
        #expect(process.broadcast([1, 2]) == [1, 2])
        #expect(process.gather([3]) == [[3]])
        #expect(process.finish(1) == 1)
    }
}
