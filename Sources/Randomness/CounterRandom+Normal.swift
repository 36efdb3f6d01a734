import LibC

extension CounterRandom {
    /// Fills `values` with standard normal numbers in single precision, using both values of each Box–Muller pair. No magnitude
    /// exceeds 5.8.
    public mutating func fillNormal(_ values: UnsafeMutableBufferPointer<Float>) {
        for first in stride(from: 0, to: values.count, by: 2) {
            // In (0, 1], so that the logarithm is finite.
            let radius = (-2 * log((Float(nextWord() >> 8) + 1) * 0x1p-24)).squareRoot()
            let angle = 2 * Float.pi * uniformFloat()
            unsafe values[first] = radius * cos(angle)
            if first + 1 < values.count { unsafe values[first + 1] = radius * sin(angle) }
        }
    }
}
