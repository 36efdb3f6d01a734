/// The numbers of one step of stochastic gradient descent with momentum, or of LARS (You, Gitman and Ginsburg 2017).
package struct MomentumStep: Sendable {
    package var learningRate: Float
    /// The fraction of the velocity that stays.
    package var momentum: Float
    /// Added to the gradient, times the weights.
    package var weightDecay: Float
    /// The trust coefficient of LARS; nil: plain momentum.
    package var trust: Double?

    package init(learningRate: Float, momentum: Float, weightDecay: Float = 0, trust: Double? = nil) {
        (self.learningRate, self.momentum) = (learningRate, momentum)
        (self.weightDecay, self.trust) = (weightDecay, trust)
    }
}
