import CKernels

/// Which input samples each output position weighs, and by how much, along one axis.
struct ResampleTaps {
    /// The weights a position has room for.
    let span: Int
    /// The first input sample of each position.
    var starts: [Int32] = []
    /// How many samples each position weighs.
    var counts: [Int32] = []
    /// `span` weights a position, in units of 2^-22.
    var weights: [Int32] = []

    /// The taps of output positions `range`, of `outputCount` that cover `lower..<upper` of `inputCount` samples.
    ///
    /// The arithmetic and its order are Pillow's, so that the integers are.
    init(
        inputCount: Int, lower: Float, upper: Float, outputCount: Int, range: Range<Int>, filter: Interpolation
    ) {
        let scale = Double(upper - lower) / Double(outputCount)
        let filterScale = max(scale, 1)
        let support = filter.support * filterScale
        span = Int(support.rounded(.up)) * 2 + 1
        starts.reserveCapacity(range.count)
        counts.reserveCapacity(range.count)
        weights.reserveCapacity(range.count * span)
        let step = 1 / filterScale
        var row = [Double](repeating: 0, count: span)
        for position in range {
            let centre = Double(lower) + (Double(position) + 0.5) * scale
            let start = max(0, Int(centre - support + 0.5))
            let end = min(inputCount, Int(centre + support + 0.5))
            let count = max(0, end - start)
            var sum = 0.0
            for tap in 0..<count {
                row[tap] = filter.weight((Double(tap + start) - centre + 0.5) * step)
                sum += row[tap]
            }
            for tap in 0..<span {
                weights.append(tap < count ? Self.fixedPoint(sum == 0 ? row[tap] : row[tap] / sum) : 0)
            }
            starts.append(Int32(start))
            counts.append(Int32(count))
        }
    }

    private static func fixedPoint(_ weight: Double) -> Int32 {
        let scaled = weight * Double(1 << CK_RESAMPLE_BITS)
        return Int32(scaled < 0 ? scaled - 0.5 : scaled + 0.5)
    }

    /// The input samples that any position needs.
    var inputRange: Range<Int> {
        guard let first = starts.min() else { return 0..<0 }
        let end = zip(starts, counts).map { $0 + $1 }.max() ?? first
        return Int(first)..<Int(end)
    }

    /// The same taps over inputs of which the first `count` are left out.
    func droppingInputs(_ count: Int) -> ResampleTaps {
        var shifted = self
        shifted.starts = starts.map { $0 - Int32(count) }
        return shifted
    }

    /// Calls `body` with the taps as the kernels take them.
    func withKernelTaps(_ body: (ck_resample_taps) -> Void) {
        unsafe starts.withUnsafeBufferPointer { starts in
            unsafe counts.withUnsafeBufferPointer { counts in
                unsafe weights.withUnsafeBufferPointer { weights in
                    unsafe body(
                        ck_resample_taps(
                            span: Int32(span), starts: starts.baseAddress, counts: counts.baseAddress,
                            weights: weights.baseAddress))
                }
            }
        }
    }
}
