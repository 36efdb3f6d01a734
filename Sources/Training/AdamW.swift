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
    /// Stretches of the arena with one decay; the gaps between entries are zero and stay so.
    private let ranges: [(elements: Range<Int>, decays: Bool)]

    package init(_ store: ParameterStore, settings: Settings) {
        self.store = store
        self.settings = settings
        firstMoments = Tensor(shape: store.weights.shape)
        secondMoments = Tensor(shape: store.weights.shape)
        var ranges: [(elements: Range<Int>, decays: Bool)] = []
        for entry in store.entries {
            let end = entry.offset + entry.count
            if let last = ranges.last, last.decays == entry.decays {
                ranges[ranges.count - 1].elements = last.elements.lowerBound..<end
            } else {
                ranges.append((entry.offset..<end, entry.decays))
            }
        }
        self.ranges = ranges
    }

    /// Updates the weights by the gradients, which are multiplied by `gradientScale` first; `step` counts from 1.
    package func update(step: Int, learningRate: Double, gradientScale: Double = 1, engine: any TrainingEngine) {
        for range in ranges {
            engine.adamW(
                store.weights, gradients: store.gradients, moments: (firstMoments, secondMoments),
                range: range.elements,
                AdamWStep(
                    learningRate: Float(learningRate), beta1: settings.beta1, beta2: settings.beta2,
                    epsilon: settings.epsilon, weightDecay: range.decays ? settings.weightDecay : 0, step: step,
                    gradientScale: Float(gradientScale)))
        }
    }

    /// What gradients of this norm are multiplied by so that the norm is at most `limit`; 1 without a limit.
    package static func clippingScale(norm: Double, limit: Double?) -> Double {
        guard let limit, norm > limit else { return 1 }
        return limit / (norm + 1e-6)
    }
}
