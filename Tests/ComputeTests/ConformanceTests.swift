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

    /// Many rows go through an MLP block by block, few layer by layer: a row's bits do not depend on it, with every precision.
    @Test(arguments: Precision.allCases)
    func rowsOfAnMLPDoNotDependOnTheirNumber(precision: Precision) {
        for kind in Engines.all {
            let engine = kind.make(2)
            var numbers = Numbers(seed: 17)
            let x = numbers.tensor(400, 48)
            let layers = MLPLayers(
                first: engine.linearWeights(numbers.tensor(1024, 48), precision: precision, changes: false),
                firstBias: numbers.tensor(1024), activation: .gelu,
                second: engine.linearWeights(numbers.tensor(48, 1024), precision: precision, changes: false),
                secondBias: numbers.tensor(48))
            func result(_ rows: Range<Int>) -> [UInt32] {
                let y = Tensor(shape: [rows.count, 48])
                engine.mlp(
                    x.rows(rows), layers, preActivation: nil, hidden: Tensor(shape: [rows.count, 1024]),
                    epilogue: LinearEpilogue(), into: y)
                return y.values.map(\.bitPattern)
            }
            #expect(result(0..<400) == (0..<4).flatMap { result(100 * $0..<100 * $0 + 100) }, "\(kind.name)")
        }
    }

    /// Sums of rounded numbers have the same bits with every instruction set.
    @Test(arguments: [Precision.bfloat16, .int8])
    func instructionSetsChangeNoBitOfRoundedProducts(precision: Precision) {
        func bits(_ engine: any Engine) -> [[UInt32]] {
            var numbers = Numbers(seed: 13)
            return [(1, 768, 40), (37, 2100, 70), (400, 130, 33)].map { rows, inputs, outputs in
                let (x, weight) = (numbers.tensor(rows, inputs), numbers.tensor(outputs, inputs))
                let y = Tensor(shape: [rows, outputs])
                engine.linear(
                    x, engine.linearWeights(weight, precision: precision, changes: false),
                    bias: numbers.tensor(outputs),
                    epilogue: LinearEpilogue(), into: y)
                return y.values.map(\.bitPattern)
            }
        }
        let all = Engines.all.map { bits($0.make(2)) }
        for (kind, got) in zip(Engines.all, all) { #expect(got == all.last, "\(kind.name)") }
    }

    /// The same of training in bfloat16, forward and backward.
    @Test(arguments: OperationCase.bfloat16)
    func instructionSetsChangeNoBitOfTraining(operation: OperationCase) {
        let all = Engines.all.map { kind in
            var numbers = Numbers(seed: 14)
            return operation.run(kind.make(2), &numbers).map { $0.values.map(\.bitPattern) }
        }
        for (kind, got) in zip(Engines.all, all) { #expect(got == all.last, "\(kind.name)") }
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
