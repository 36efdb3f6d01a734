import CKernels
import Support

/// The peak rates of an engine's cores, in 10⁹ floating-point operations a second, a multiply-add counted as two.
package struct ComputeCeiling: Sendable {
    /// Of multiply-adds in registers, by the instructions that products consist of.
    package let multiplyAdds: Double
    /// Of matrix products with packed weights, in the best of several shapes, each thread on its own rows.
    package let products: Double

    package init(multiplyAdds: Double, products: Double) {
        self.multiplyAdds = multiplyAdds
        self.products = products
    }
}

extension CPUEngine {
    package func measureCeiling(_ precision: Precision) -> ComputeCeiling {
        var products = 0.0
        for (inputs, outputs) in [(768, 768), (768, 3072), (3072, 768)] {
            let weights = pack(
                Tensor([Float](repeating: 0.01, count: inputs * outputs), shape: [outputs, inputs]),
                GemmKernel(kernel.instructionSet, precision))
            for rowCount in [48, 192, 384] {
                products = max(products, productRate(weights, rowCount: rowCount))
            }
        }
        let words = wordMultiplyAddRate(precision)
        let multiplyAdds = words > 0 ? words : max(multiplyAddRate(wide: true), multiplyAddRate(wide: false))
        return ComputeCeiling(multiplyAdds: multiplyAdds, products: products)
    }

    /// That of the instructions for pairs of bfloat16 or words of int8; 0: products are made of those for float32.
    private func wordMultiplyAddRate(_ precision: Precision) -> Double {
        let kernel = GemmKernel(kernel.instructionSet, precision)
        let count = kernel.multiplyAdds(rounds: 1)
        guard count > 0 else { return 0 }
        let rounds = 1_000_000_000 / count
        return bestRate(of: 2 * Double(rounds * count * threadCount)) {
            workers.run(threadCount) { _, _ in _ = kernel.multiplyAdds(rounds: rounds) }
        }
    }

    private func multiplyAddRate(wide: Bool) -> Double {
        let count = 500_000_000
        let sum = Locked(Float(0))
        return bestRate(of: 2 * Double(count * threadCount)) {
            workers.run(threadCount) { task, _ in
                let part = vit_multiply_adds(count, wide ? 1 : 0, 0.5 + Float(task) / 1024)
                sum.withLock { $0 += part }
            }
        }
    }

    private func productRate(_ weights: CPULinearWeights, rowCount: Int) -> Double {
        let (inputs, outputs) = (weights.inputs, weights.outputs)
        let x = Tensor(shape: [threadCount, rowCount, inputs])
        let y = Tensor(shape: [threadCount, rowCount, outputs])
        let product = LayerGemm(b: rightOperand(weights, rowCount: rowCount))
        let workspaceCount = product.workspaceCount(rowCount: rowCount)
        let repeats = max(1, 4_000_000_000 / (2 * rowCount * inputs * outputs))
        return bestRate(of: 2 * Double(rowCount * inputs * outputs * repeats * threadCount)) {
            workers.run(threadCount) { task, worker in
                let workspace = unsafe scratch(of: worker, floatCount: workspaceCount)
                for _ in 0..<repeats {
                    unsafe product.run(
                        rowCount: rowCount, columns: 0..<outputs, x: x.pointer + task * rowCount * inputs,
                        y: y.pointer + task * rowCount * outputs, workspace: workspace)
                }
            }
        }
    }

    /// The best of a few trials, in 10⁹ a second.
    private func bestRate(of operations: Double, _ body: () -> Void) -> Double {
        body()
        let clock = ContinuousClock()
        let best = (0..<4).map { _ in clock.measure(body) / .seconds(1) }.min() ?? .infinity
        return operations / best / 1e9
    }
}
