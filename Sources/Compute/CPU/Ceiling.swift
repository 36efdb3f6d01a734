import CKernels
import COneDNN
import Synchronization

/// What the cores of an engine can do at most, in 10⁹ floating-point operations a second, a multiply-add counted as two.
package struct ComputeCeiling: Sendable {
    /// Of multiply-adds in registers.
    package let multiplyAdds: Double
    /// Of oneDNN's product of matrices, weights packed, in the best of several shapes, each thread on its own rows.
    package let products: Double

    package init(multiplyAdds: Double, products: Double) {
        self.multiplyAdds = multiplyAdds
        self.products = products
    }
}

extension CPUEngine {
    /// Measures it, in a second or two.
    package func measureCeiling() -> ComputeCeiling {
        var products = 0.0
        for (inputs, outputs) in [(768, 768), (768, 3072), (3072, 768)] {
            let weights = pack(
                Tensor([Float](repeating: 0.01, count: inputs * outputs), shape: [outputs, inputs]),
                oneDNNPacking(inner: inputs, columns: outputs))
            for rowCount in [48, 192, 384] {
                products = max(products, productRate(weights, rowCount: rowCount))
            }
        }
        return ComputeCeiling(
            multiplyAdds: max(multiplyAddRate(wide: true), multiplyAddRate(wide: false)), products: products)
    }

    private func multiplyAddRate(wide: Bool) -> Double {
        let count = 500_000_000
        let sum = Mutex(Float(0))
        return bestRate(of: 2 * Double(count * workers.count)) {
            unsafe workers.run(workers.count) { task, _, _ in
                let part = vit_multiply_adds(count, wide ? 1 : 0, 0.5 + Float(task) / 1024)
                sum.withLock { $0 += part }
            }
        }
    }

    private func productRate(_ weights: CPULinearWeights, rowCount: Int) -> Double {
        let x = Tensor(shape: [workers.count, rowCount, weights.inputs])
        let y = Tensor(shape: [workers.count, rowCount, weights.outputs])
        let shape = MatmulShape(
            rows: rowCount, inner: weights.inputs, columns: weights.outputs, aStrides: (weights.inputs, 1),
            bStrides: nil, cStride: weights.outputs)
        let primitive = cache.product(shape)
        let repeats = max(1, 4_000_000_000 / (2 * rowCount * weights.inputs * weights.outputs))
        let operations = 2 * Double(rowCount * weights.inputs * weights.outputs * repeats * workers.count)
        return bestRate(of: operations) {
            unsafe workers.run(workers.count) { task, context, _ in
                var arguments = unsafe vit_matmul_arguments()
                unsafe arguments.a = UnsafePointer(x.pointer + task * rowCount * weights.inputs)
                unsafe arguments.b = UnsafeRawPointer(weights.data.pointer)
                unsafe arguments.c = y.pointer + task * rowCount * weights.outputs
                for _ in 0..<repeats {
                    check(unsafe vit_matmul_run(primitive.pointer, context, &arguments), "ceiling")
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
