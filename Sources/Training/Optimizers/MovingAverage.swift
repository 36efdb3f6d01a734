import Compute
import Layers

/// An exponential moving average of all weights, which often does better than the last of them (Polyak and Juditsky
/// 1992).
package struct MovingAverage: Sendable {
    /// How much of the average stays in a step.
    package let decay: Float
    /// The average, as an arena.
    package let weights: Tensor

    /// Starts at the weights as they are.
    package init(decay: Float, of store: ParameterStore) {
        self.decay = decay
        weights = Tensor(shape: store.weights.shape)
        weights.assign(store.weights.values)
    }

    /// average = decay · average + (1 − decay) · weights.
    package func update(from store: ParameterStore, engine: any Engine) {
        engine.lerp(weights, toward: store.weights, weight: 1 - decay)
    }
}
