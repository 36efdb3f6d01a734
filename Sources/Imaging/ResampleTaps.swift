import CKernels

/// What resampling does along one axis: `lower..<upper` of the input becomes `outputCount` samples.
struct ResampleAxis {
    let inputCount: Int
    /// In single precision, as Pillow keeps it.
    let lower: Float
    let upper: Float
    let outputCount: Int
    /// The output samples that are wanted.
    let range: Range<Int>

    /// Whether output samples are input samples.
    var isUnchanged: Bool { outputCount == inputCount && lower == 0 && upper == Float(outputCount) }

    /// Input samples for one output sample.
    var scale: Double { Double(upper - lower) / Double(outputCount) }

    /// The input sample nearest to each output sample. Pillow steps along by adding up, and so must this: the
    /// rounding of the sums picks the samples.
    func nearest() -> [Int] {
        var position = Double(lower) + scale * 0.5
        let samples = (0..<range.upperBound).map { _ in
            defer { position += scale }
            return min(inputCount - 1, Int(position))
        }
        return Array(samples[range])
    }
}

/// Which input samples each output sample weighs, and by how much, along one axis.
struct ResampleTaps {
    /// The weights that each output sample has room for.
    let span: Int
    /// The first input sample of each.
    var starts: [Int32] = []
    /// How many input samples each weighs.
    var counts: [Int32] = []
    /// `span` weights each, in units of 2^-22.
    var weights: [Int32] = []

    /// The taps of the samples that `axis` wants. The arithmetic and its order are Pillow's, so that the integers are.
    init(_ axis: ResampleAxis, filter: Interpolation) {
        let scale = axis.scale
        let filterScale = max(scale, 1)
        let support = filter.support * filterScale
        let step = 1 / filterScale
        span = Int(support.rounded(.up)) * 2 + 1
        starts.reserveCapacity(axis.range.count)
        counts.reserveCapacity(axis.range.count)
        weights.reserveCapacity(axis.range.count * span)
        var row = [Double](repeating: 0, count: span)
        for position in axis.range {
            let centre = Double(axis.lower) + (Double(position) + 0.5) * scale
            let start = max(0, Int(centre - support + 0.5))
            let count = max(0, min(axis.inputCount, Int(centre + support + 0.5)) - start)
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
        let scaled = weight * Double(1 << VIT_RESAMPLE_BITS)
        return Int32(scaled < 0 ? scaled - 0.5 : scaled + 0.5)
    }

    /// The input samples that any output sample needs.
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

    /// The same taps over `inputCount` inputs in the opposite order.
    func mirrored(inputCount: Int) -> ResampleTaps {
        var mirrored = self
        for position in starts.indices {
            mirrored.starts[position] = Int32(inputCount) - starts[position] - counts[position]
            let used = position * span..<position * span + Int(counts[position])
            mirrored.weights[used].reverse()
        }
        return mirrored
    }

    /// The inputs of an output sample.
    func inputs(of position: Int) -> Range<Int> {
        Int(starts[position])..<Int(starts[position] + counts[position])
    }

    /// The taps of one output sample, over its inputs alone.
    func only(_ position: Int) -> ResampleTaps {
        var only = self
        only.starts = [0]
        only.counts = [counts[position]]
        only.weights = Array(weights[position * span..<(position + 1) * span])
        return only
    }

    /// Calls `body` with the taps as the kernels take them.
    func withKernelTaps(_ body: (vit_resample_taps) -> Void) {
        unsafe starts.withUnsafeBufferPointer { starts in
            unsafe counts.withUnsafeBufferPointer { counts in
                unsafe weights.withUnsafeBufferPointer { weights in
                    unsafe body(
                        vit_resample_taps(
                            span: Int32(span), starts: starts.baseAddress, counts: counts.baseAddress,
                            weights: weights.baseAddress))
                }
            }
        }
    }
}
