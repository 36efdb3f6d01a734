extension CPUEngine {
    package func momentumStep(
        _ weights: Tensor, gradient: Tensor, velocity: Tensor, _ settings: MomentumStep
    ) {
        precondition(
            gradient.count == weights.count && velocity.count == weights.count,
            "momentumStep: got weights \(weights.shape), gradient \(gradient.shape), velocity \(velocity.shape)")
        let (w, g, v) = unsafe (weights.pointer, gradient.pointer, velocity.pointer)
        forBlocks(of: Self.elementsPerTask, in: weights.count) { elements, _ in
            for i in elements { unsafe g[i] += settings.weightDecay * w[i] }
        }
        var scale: Float = 1
        if let trust = settings.trust {
            let (weightNorm, gradientNorm) = (norm(weights), norm(gradient))
            if weightNorm > 0, gradientNorm > 0 { scale = Float(trust * weightNorm / gradientNorm) }
        }
        forBlocks(of: Self.elementsPerTask, in: weights.count) { elements, _ in
            for i in elements {
                unsafe v[i] = settings.momentum * v[i] + scale * g[i]
                unsafe w[i] -= settings.learningRate * v[i]
            }
        }
    }
}
