import Compute

extension Linear {
    /// dx, which may be x, from dy; the gradients of weight and bias are added to. Only for layers that are being trained.
    package func backward(_ dy: Tensor, x: Tensor, dx: Tensor?, engine: any Engine) {
        addGradients(dy, x: x, engine: engine)
        if let dx { inputGradient(dy, dx: dx, engine: engine) }
    }

    /// dx from dy.
    func inputGradient(_ dy: Tensor, dx: Tensor, engine: any Engine) {
        engine.linearInputGradient(dy, weight: trained.value, dx: dx)
    }

    /// Adds to the gradients of weight and bias.
    func addGradients(_ dy: Tensor, x: Tensor, engine: any Engine) {
        engine.linearWeightGradient(dy, x: x, dWeight: trained.gradient, dBias: bias?.gradient)
    }

    var trained: (value: Tensor, gradient: Tensor) {
        guard let weight, let gradient = weight.gradient else {
            preconditionFailure("Linear.backward: the layer was made for use, not for training")
        }
        return (weight.value, gradient)
    }
}

extension LayerNorm {
    /// dx from dy, plus `residual`, either of which it may be; the gradients of scale and shift are added to.
    package func backward(
        _ dy: Tensor, x: Tensor, statistics: NormStatistics, residual: Tensor? = nil, dx: Tensor,
        engine: any Engine
    ) {
        guard let dScale = scale.gradient, let dShift = shift.gradient else {
            preconditionFailure("LayerNorm.backward: the layer was made for use, not for training")
        }
        engine.layerNormBackward(
            dy, x: x, scale: scale.value, epsilon: epsilon, mean: statistics.mean, variance: statistics.variance,
            residual: residual, dx: dx, dScale: dScale, dShift: dShift)
    }
}

extension Block {
    /// The forward pass read from its end, for the x, `cache` and `paths` of that pass: the gradient `d` (B, N, D) by the
    /// output becomes that by x.
    ///
    /// The norms, the activation and what attention gives are computed again rather than kept.
    package func backward(
        _ d: Tensor, x: Tensor, cache: BlockActivations, paths: PathScales? = nil, gradients: BlockGradients,
        engine: any Engine
    ) {
        guard let preActivation = cache.preActivation else {
            preconditionFailure("Block.backward: the forward pass kept nothing for it")
        }
        mlpBackward(d, cache: cache, preActivation, paths: paths, gradients: gradients, engine: engine)
        let dAttention = branchGradient(
            d, scale: scale1, branch: cache.branch1, paths: paths?.attention, into: cache.normed, engine: engine)
        projection.inputGradient(dAttention, dx: gradients.branch, engine: engine)
        engine.attentionBackward(
            gradients.branch, qkv: cache.qkv, heads: shape.heads, dqkv: gradients.qkv, y: cache.mixed)
        projection.addGradients(dAttention, x: cache.mixed, engine: engine)
        qkvBackward(d, x: x, cache: cache, gradients: gradients, engine: engine)
    }

    /// The way back through `forwardLeading`: `d` (B, N, D) of all tokens from `leading.d` (B, P, D) of the first ones.
    package func backwardLeading(
        _ leading: LeadingWorkspace, x: Tensor, cache: BlockActivations, paths: PathScales? = nil,
        gradients: BlockGradients, d: Tensor, engine: any Engine
    ) {
        let part = leading.activations
        guard let preActivation = part.preActivation else {
            preconditionFailure("Block.backwardLeading: the forward pass kept nothing for it")
        }
        mlpBackward(
            leading.d, cache: part, preActivation, paths: paths, gradients: leading.gradients, engine: engine)
        let dAttention = branchGradient(
            leading.d, scale: scale1, branch: part.branch1, paths: paths?.attention, into: part.normed, engine: engine)
        projection.inputGradient(dAttention, dx: leading.gradients.branch, engine: engine)
        engine.leadingTokensBackward(leading.gradients.branch, dx: gradients.branch)
        engine.attentionBackward(
            gradients.branch, qkv: cache.qkv, heads: shape.heads, dqkv: gradients.qkv, y: cache.mixed)
        engine.leadingTokens(of: cache.mixed, into: part.mixed)
        projection.addGradients(dAttention, x: part.mixed, engine: engine)
        engine.leadingTokensBackward(leading.d, dx: d)
        qkvBackward(d, x: x, cache: cache, gradients: gradients, engine: engine)
    }

    /// Back through x + mlp(norm(x)): the gradient `d` by the sum becomes that by x.
    private func mlpBackward(
        _ d: Tensor, cache: BlockActivations, _ preActivation: Tensor, paths: PathScales?, gradients: BlockGradients,
        engine: any Engine
    ) {
        engine.activate(preActivation, shape.activation, into: cache.hidden)
        let dMLP = branchGradient(
            d, scale: scale2, branch: cache.branch2, paths: paths?.mlp, into: gradients.branch, engine: engine)
        fc2.addGradients(dMLP, x: cache.hidden, engine: engine)
        engine.mlpInputGradient(
            dMLP, firstWeight: fc1.trained.value, secondWeight: fc2.trained.value, preActivation: preActivation,
            shape.activation, dHidden: gradients.hidden, dx: gradients.branch)
        norm2.forward(cache.middle, statistics: cache.statistics2, engine: engine, into: cache.normed)
        fc1.addGradients(gradients.hidden, x: cache.normed, engine: engine)
        norm2.backward(
            gradients.branch, x: cache.middle, statistics: cache.statistics2, residual: d, dx: d, engine: engine)
    }

    /// Adds to `d` what `gradients.qkv` makes of it on the way back to x.
    private func qkvBackward(
        _ d: Tensor, x: Tensor, cache: BlockActivations, gradients: BlockGradients, engine: any Engine
    ) {
        norm1.forward(x, statistics: cache.statistics1, engine: engine, into: cache.normed)
        qkv.backward(gradients.qkv, x: cache.normed, dx: gradients.branch, engine: engine)
        norm1.backward(
            gradients.branch, x: x, statistics: cache.statistics1, residual: d, dx: d, engine: engine)
    }

    /// The gradient of a residual branch from that of the sum: the same where the branch was added as it is.
    private func branchGradient(
        _ dy: Tensor, scale: Parameter?, branch: Tensor?, paths: Tensor?, into workspace: Tensor,
        engine: any Engine
    ) -> Tensor {
        guard let branch, scale != nil || paths != nil else { return dy }
        engine.addBranchBackward(
            dy, branch: branch, columnScale: scale?.value, imageScale: paths, dBranch: workspace,
            dColumnScale: scale?.gradient)
        return workspace
    }
}
