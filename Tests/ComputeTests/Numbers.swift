import Compute

/// Small random numbers that are the same in every run.
struct Numbers {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    /// Uniform in −1..<1, with few bits so that float and double agree on the value.
    mutating func next() -> Double {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Double(Int(state % 4096)) / 2048 - 1
    }

    mutating func values(_ count: Int) -> [Double] { (0..<count).map { _ in next() } }
}

extension Tensor {
    init(_ values: [Double], shape: [Int]) {
        self.init(values.map { Float($0) }, shape: shape)
    }

    /// NaN everywhere: what is not written shows.
    static func unwritten(_ shape: Int...) -> Tensor {
        Tensor([Float](repeating: .nan, count: shape.reduce(1, *)), shape: shape)
    }
}

/// The largest difference, relative to the largest element where that is above 1.
func difference(_ tensor: Tensor, _ expected: [Double]) -> Double {
    guard tensor.count == expected.count else { return .infinity }
    let scale = max(1, expected.map { $0.magnitude }.max() ?? 0)
    var largest = 0.0
    for (got, want) in zip(tensor.values, expected) {
        if got.isNaN { return .infinity }
        largest = max(largest, (Double(got) - want).magnitude / scale)
    }
    return largest
}

/// The gradient of Σ cotangent · f(x) by every element of x, by central differences in double.
func numericGradient(of x: [Double], cotangent: [Double], _ f: ([Double]) -> [Double]) -> [Double] {
    let step = 1e-5
    var x = x
    return x.indices.map { index in
        let value = x[index]
        x[index] = value + step
        let above = f(x)
        x[index] = value - step
        let below = f(x)
        x[index] = value
        return zip(zip(above, below), cotangent).reduce(0) { $0 + ($1.0.0 - $1.0.1) * $1.1 } / (2 * step)
    }
}

extension Numbers {
    /// A tensor of such numbers, times `scale`.
    mutating func tensor(_ shape: Int..., scale: Double = 1) -> Tensor {
        Tensor(values(shape.reduce(1, *)).map { $0 * scale }, shape: shape)
    }
}
