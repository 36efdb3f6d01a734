import CKernels

extension CPUEngine {
    package func layerNormBackward(
        _ dy: Tensor, x: Tensor, scale: Tensor, epsilon: Float, mean: Tensor, variance: Tensor, residual: Tensor?,
        dx: Tensor, dScale: Tensor, dShift: Tensor
    ) {
        let width = scale.count
        let rowCount = x.count / width
        precondition(
            dy.count == x.count && dx.count == x.count && residual.map { $0.count == x.count } ?? true
                && dScale.count == width && dShift.count == width,
            "layerNormBackward: got dy \(dy.shape), x \(x.shape), dx \(dx.shape), dScale \(dScale.shape)")
        let size = Self.rowsPerTask(width: width)
        let blockCount = (rowCount + size - 1) / size
        // Each block sums its own rows; the blocks are then added in order, whoever computed them.
        let partial = unsafe partialSums(floatCount: 2 * blockCount * width)
        unsafe partial.update(repeating: 0, count: 2 * blockCount * width)
        unsafe forBlocks(of: size, in: rowCount) { rows, _, _ in
            let (first, offset) = (rows.lowerBound, rows.lowerBound * width)
            let block = unsafe partial + first / size * width
            unsafe vit_layer_norm_backward(
                x.pointer + offset, dy.pointer + offset, rows.count, width, scale.pointer, epsilon,
                mean.pointer + first, variance.pointer + first, residual.map { unsafe $0.pointer + offset },
                dx.pointer + offset, block, block + blockCount * width)
        }
        unsafe vit_add_column_sums(partial, blockCount, width, width, dScale.pointer)
        unsafe vit_add_column_sums(partial + blockCount * width, blockCount, width, width, dShift.pointer)
    }

    package func adamW(
        _ weights: Tensor, gradients: Tensor, moments: (first: Tensor, second: Tensor), range: Range<Int>,
        _ settings: AdamWStep
    ) {
        precondition(
            range.upperBound <= weights.count && gradients.count == weights.count
                && moments.first.count == weights.count && moments.second.count == weights.count,
            "adamW: elements \(range) of \(weights.shape), gradients \(gradients.shape)")
        let face = settings.face
        unsafe forBlocks(of: Self.elementsPerTask, in: range.count) { elements, _, _ in
            let first = range.lowerBound + elements.lowerBound
            unsafe vit_adamw(
                weights.pointer + first, gradients.pointer + first, moments.first.pointer + first,
                moments.second.pointer + first, elements.count, face)
        }
    }

    package func norm(_ x: Tensor) -> Double {
        let size = Self.elementsPerTask
        let blockCount = (x.count + size - 1) / size
        var sums = [Double](repeating: 0, count: blockCount)
        unsafe sums.withUnsafeMutableBufferPointer { sums in
            nonisolated(unsafe) let sums = unsafe sums
            unsafe forBlocks(of: size, in: x.count) { elements, _, _ in
                unsafe sums[elements.lowerBound / size] = vit_sum_of_squares(
                    x.pointer + elements.lowerBound, elements.count)
            }
        }
        return sums.reduce(0, +).squareRoot()
    }

    package func clear(_ x: Tensor) {
        unsafe forBlocks(of: Self.elementsPerTask * 8, in: x.count) { elements, _, _ in
            unsafe (x.pointer + elements.lowerBound).update(repeating: 0, count: elements.count)
        }
    }

    package func add(_ x: Tensor, into y: Tensor) {
        precondition(x.count == y.count, "add: got x \(x.shape), y \(y.shape)")
        unsafe forBlocks(of: Self.elementsPerTask, in: x.count) { elements, _, _ in
            unsafe vit_add(x.pointer + elements.lowerBound, elements.count, y.pointer + elements.lowerBound)
        }
    }

    package func multiply(_ x: Tensor, by factor: Float) {
        for i in 0..<x.count { unsafe x.pointer[i] *= factor }
    }

    package func approach(_ x: Tensor, into y: Tensor, share: Float) {
        precondition(x.count == y.count, "approach: got x \(x.shape), y \(y.shape)")
        unsafe forBlocks(of: Self.elementsPerTask, in: x.count) { elements, _, _ in
            unsafe vit_approach(x.pointer + elements.lowerBound, elements.count, share, y.pointer + elements.lowerBound)
        }
    }
}

extension AdamWStep {
    /// The numbers as the C loop takes them.
    var face: vit_adamw_settings {
        var face = vit_adamw_settings()
        face.learning_rate = learningRate
        face.beta1 = beta1
        face.beta2 = beta2
        face.epsilon = epsilon
        face.weight_decay = weightDecay
        face.bias_correction1 = correction1
        face.bias_correction2_root = correction2Root
        face.gradient_scale = gradientScale
        return face
    }
}
