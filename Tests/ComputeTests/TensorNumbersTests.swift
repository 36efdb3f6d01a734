import Compute
import Support
import Testing

/// The bridge between tensors and files: numbers in place where they can be, and in and out by spans.
struct TensorNumbersTests {
    @Test func floatsInMemoryAreSharedWithoutACopy() throws {
        let bytes = Bytes(Memory(byteCount: 32))
        let tensor = try #require(bytes.slice(8, 16).flatMap { Tensor(mapped: $0, shape: [2, 2]) })
        tensor.assign([1, 2, 3, 4])
        #expect(bytes.integer(UInt32.self, at: 12) == Float(2).bitPattern)
        #expect(Tensor(mapped: bytes, shape: [2, 4])?.values == [0, 0, 1, 2, 3, 4, 0, 0])
    }

    @Test func numbersOfAnotherPlaceOrSizeAreNot() {
        let bytes = Bytes(Memory(byteCount: 32))
        #expect(bytes.slice(2, 16).flatMap { Tensor(mapped: $0, shape: [4]) } == nil)
        #expect(Tensor(mapped: bytes, shape: [4]) == nil)
    }

    @Test func spansReachTheTensorsOwnNumbers() {
        let tensor = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [3, 2])
        #expect(tensor.rows(1..<3).withNumbers { $0.count == 4 && $0[0] == 3 })
        tensor.rows(1..<2).withMutableNumbers { numbers in
            for index in numbers.indices { numbers[index] *= 10 }
        }
        #expect(tensor.values == [1, 2, 30, 40, 5, 6])
    }
}
