import LibC

extension CounterRandom {
    /// Beta-distributed; both shapes are above 0.
    public mutating func beta(_ a: Double, _ b: Double) -> Double {
        precondition(a > 0 && b > 0, "CounterRandom.beta: expected shapes above 0, got \(a) and \(b)")
        // For tiny shapes both gamma variables underflow; the difference of their logarithms does not.
        return 1 / (1 + exp(logGamma(b) - logGamma(a)))
    }

    /// The logarithm of a gamma-distributed number of scale 1 (Marsaglia and Tsang, "A simple method for generating
    /// gamma variables", 2000; section 6 for shapes below 1).
    private mutating func logGamma(_ shape: Double) -> Double {
        if shape < 1 { return logGamma(shape + 1) + log(1 - uniform()) / shape }
        let d = shape - 1.0 / 3
        let c = 1 / (9 * d).squareRoot()
        while true {
            let x = normal()
            let root = 1 + c * x
            guard root > 0 else { continue }
            let v = root * root * root
            if log(1 - uniform()) < x * x / 2 + d - d * v + d * log(v) { return log(d * v) }
        }
    }
}
