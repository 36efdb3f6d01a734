import LibC

/// Random numbers that are a pure function of a seed and of their purpose.
///
/// A purpose, an epoch and an index (of an image, a step, a parameter, …) select a stream of 2³² blocks. So resuming a run
/// needs no saved state, and work can be distributed over threads in any way.
public struct CounterRandom: RandomNumberGenerator, Sendable {
    /// The purpose of random numbers; a new use takes a new number, and existing numbers never change.
    public struct Purpose: Sendable, Hashable {
        /// The word that identifies this purpose's streams.
        public let word: UInt32

        /// A purpose with its own number; 0 to 31 are reserved for this package.
        public init(word: UInt32) { self.word = word }

        /// Augmentation of training images.
        public static let augmentation = Purpose(word: 0)
        /// Replacements of unreadable images.
        public static let replacement = Purpose(word: 1)
        /// The order of the images in an epoch.
        public static let order = Purpose(word: 2)
        /// Masks of patches.
        public static let masking = Purpose(word: 3)
        /// Initial weights.
        public static let initialization = Purpose(word: 4)
        /// Stochastic depth.
        public static let dropPath = Purpose(word: 5)
        /// Mixup and cutmix.
        public static let mixing = Purpose(word: 6)
        /// Synthetic input for benchmarks and tests.
        public static let synthetic = Purpose(word: 7)
        /// Random erasing.
        public static let erasing = Purpose(word: 8)
    }

    private let key: SIMD2<UInt32>
    private var counter: SIMD4<UInt32>
    private var block = SIMD4<UInt32>()
    /// The number of words of `block` used; 4 if a new block is due.
    private var used = 4

    /// The start of a stream; only the low 32 bits of `epoch` and `index` are used.
    public init(seed: UInt64, purpose: Purpose, epoch: Int = 0, index: Int = 0) {
        key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        counter = SIMD4(0, purpose.word, UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: epoch))
    }

    /// 32 random bits.
    public mutating func nextWord() -> UInt32 {
        if used == 4 {
            block = Philox.block(counter: counter, key: key)
            counter.x &+= 1
            used = 0
        }
        defer { used += 1 }
        return block[used]
    }

    /// 64 random bits.
    public mutating func next() -> UInt64 {
        let low = UInt64(nextWord())
        return UInt64(nextWord()) << 32 | low
    }

    /// Uniform in [0, 1), a multiple of 2⁻⁵³.
    public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Uniform in [0, 1), a multiple of 2⁻²⁴.
    public mutating func uniformFloat() -> Float { Float(nextWord() >> 8) * 0x1p-24 }

    /// Uniform in [low, high).
    public mutating func uniform(_ low: Double, _ high: Double) -> Double { low + (high - low) * uniform() }

    /// Uniform in 0 ..< bound, each value equally likely (Lemire's method); `bound` is at least 1.
    public mutating func integer(below bound: Int) -> Int {
        precondition(bound >= 1, "CounterRandom.integer: expected a bound of at least 1, got \(bound)")
        let bound = UInt64(bound)
        var product = next().multipliedFullWidth(by: bound)
        if product.low < bound {
            let threshold = (0 &- bound) % bound
            while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
        }
        return Int(product.high)
    }

    /// True with probability `probability`.
    public mutating func isTrue(probability: Double) -> Bool { uniform() < probability }

    /// Normal with mean 0 and standard deviation 1 (Box–Muller; the second value of each pair is not used).
    public mutating func normal() -> Double {
        // 1 − u is in (0, 1], so the logarithm is finite.
        let radius = (-2 * log(1 - uniform())).squareRoot()
        return radius * cos(2 * Double.pi * uniform())
    }

    /// Normal with mean 0 and standard deviation 1, redrawn while its magnitude exceeds `limit`.
    public mutating func truncatedNormal(limit: Double = 2) -> Double {
        precondition(limit > 0, "CounterRandom.truncatedNormal: expected a limit above 0, got \(limit)")
        while true {
            let value = normal()
            if abs(value) <= limit { return value }
        }
    }
}
