import CKernels

extension CPUEngine {
    package func norm(_ x: Tensor) -> Double {
        let size = Self.elementsPerTask
        let blockCount = (x.count + size - 1) / size
        var sums = [Double](repeating: 0, count: blockCount)
        unsafe sums.withUnsafeMutableBufferPointer { sums in
            nonisolated(unsafe) let sums = unsafe sums
            forBlocks(of: size, in: x.count) { elements, _ in
                unsafe sums[elements.lowerBound / size] = vit_sum_of_squares(
                    x.pointer + elements.lowerBound, elements.count)
            }
        }
        return sums.reduce(0, +).squareRoot()
    }

    package func zero(_ x: Tensor) {
        forBlocks(of: Self.elementsPerTask * 8, in: x.count) { elements, _ in
            unsafe (x.pointer + elements.lowerBound).update(repeating: 0, count: elements.count)
        }
    }

    package func add(_ x: Tensor, into y: Tensor) {
        precondition(x.count == y.count, "add: got x \(x.shape), y \(y.shape)")
        forBlocks(of: Self.elementsPerTask, in: x.count) { elements, _ in
            unsafe vit_add(x.pointer + elements.lowerBound, elements.count, y.pointer + elements.lowerBound)
        }
    }

    package func scale(_ x: Tensor, by factor: Float) {
        for i in 0..<x.count { unsafe x.pointer[i] *= factor }
    }

    package func lerp(_ y: Tensor, toward x: Tensor, weight: Float) {
        precondition(x.count == y.count, "lerp: got x \(x.shape), y \(y.shape)")
        forBlocks(of: Self.elementsPerTask, in: x.count) { elements, _ in
            unsafe vit_lerp(
                x.pointer + elements.lowerBound, elements.count, weight, y.pointer + elements.lowerBound)
        }
    }
}
