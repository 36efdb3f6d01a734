import Compute
import ReferenceEngine
import Testing

/// Every operation of every engine of this machine, held to the reference engine's plain loops in double.
@Suite struct ConformanceTests {
    @Test(arguments: OperationCase.all)
    func everyEngineComputesTheSame(operation: OperationCase) {
        func results(_ engine: any Engine) -> [Tensor] {
            var numbers = Numbers(seed: 11)
            return operation.run(engine, &numbers)
        }
        let expected = results(ReferenceEngine())
        for kind in Engines.all {
            let got = results(kind.make(2))
            #expect(got.count == expected.count)
            for (index, (tensor, reference)) in zip(got, expected).enumerated() {
                let difference = difference(tensor, reference.values.map { Double($0) })
                #expect(difference < operation.tolerance, "\(kind.name), result \(index)")
            }
        }
    }

    /// The bits of every result are the same for any number of threads.
    @Test(arguments: OperationCase.all)
    func threadsChangeNoBit(operation: OperationCase) {
        for kind in Engines.all {
            func bits(_ threads: Int) -> [[UInt32]] {
                var numbers = Numbers(seed: 12)
                return operation.run(kind.make(threads), &numbers).map { $0.values.map(\.bitPattern) }
            }
            let one = bits(1)
            #expect(one == bits(2), "\(kind.name)")
            #expect(one == bits(3), "\(kind.name)")
        }
    }
}
