import Compute
import Layers

/// AdamW over a whole arena (Loshchilov and Hutter 2019): both moments are arenas of the same layout.
package struct AdamW: Sendable {
    /// The constants of the method.
    package struct Settings: Sendable, Hashable {
        package var beta1: Float = 0.9
        package var beta2: Float = 0.95
        package var epsilon: Float = 1e-8
        package var weightDecay: Float = 0.05

        package init() {}
    }

    package let settings: Settings
    package let firstMoments: Tensor
    package let secondMoments: Tensor
    private let store: ParameterStore
    /// Stretches of the arena that are updated alike; the gaps between entries are zero and stay so.
    private let ranges: [(elements: Range<Int>, group: ParameterGroup)]

    /// - Parameter group: how each tensor is updated; nil: it is not.
    package init(
        _ store: ParameterStore, settings: Settings,
        group: (ParameterStore.Entry) -> ParameterGroup? = { ParameterGroup(decays: $0.decays) }
    ) {
        self.store = store
        self.settings = settings
        firstMoments = Tensor(shape: store.weights.shape)
        secondMoments = Tensor(shape: store.weights.shape)
        var ranges: [(elements: Range<Int>, group: ParameterGroup)] = []
        var isAdjacent = false
        for entry in store.entries {
            let end = entry.offset + entry.count
            guard let group = group(entry) else {
                isAdjacent = false
                continue
            }
            if isAdjacent, let last = ranges.last, last.group == group {
                ranges[ranges.count - 1].elements = last.elements.lowerBound..<end
            } else {
                ranges.append((entry.offset..<end, group))
            }
            isAdjacent = true
        }
        self.ranges = ranges
    }

    /// Updates the weights by the gradients, which are multiplied by `gradientScale` first; `step` counts from 1.
    package func update(step: Int, learningRate: Double, gradientScale: Double = 1, engine: any Engine) {
        var numbers = AdamWStep(
            learningRate: 0, beta1: settings.beta1, beta2: settings.beta2, epsilon: settings.epsilon, step: step,
            gradientScale: Float(gradientScale))
        for range in ranges {
            numbers.learningRate = Float(learningRate * range.group.rateScale)
            numbers.weightDecay = range.group.decays ? settings.weightDecay : 0
            engine.adamW(
                store.weights, gradients: store.gradients, moments: (firstMoments, secondMoments),
                range: range.elements, numbers)
        }
    }

    /// What gradients of this norm are multiplied by so that the norm is at most `limit`; 1 without a limit.
    package static func clippingScale(norm: Double, limit: Double?) -> Double {
        guard let limit, norm > limit else { return 1 }
        return limit / (norm + 1e-6)
    }
}

/// How a tensor is updated.
package struct ParameterGroup: Sendable, Hashable {
    /// Multiplies the learning rate.
    package var rateScale = 1.0
    /// Whether weight decay acts on it.
    package var decays: Bool

    package init(rateScale: Double = 1, decays: Bool) {
        self.rateScale = rateScale
        self.decays = decays
    }
}
