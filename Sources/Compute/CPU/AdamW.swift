import CKernels

extension CPUEngine {
    package func adamW(
        _ weights: Tensor, gradients: Tensor, moments: (first: Tensor, second: Tensor), range: Range<Int>,
        _ settings: AdamWStep
    ) {
        precondition(
            range.upperBound <= weights.count && gradients.count == weights.count
                && moments.first.count == weights.count && moments.second.count == weights.count,
            "adamW: elements \(range) of \(weights.shape), gradients \(gradients.shape)")
        let face = settings.face
        forBlocks(of: Self.elementsPerTask, in: range.count) { elements, _ in
            let first = range.lowerBound + elements.lowerBound
            unsafe vit_adamw(
                weights.pointer + first, gradients.pointer + first, moments.first.pointer + first,
                moments.second.pointer + first, elements.count, face)
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
