import CKernels

/// The resampling of one axis: `lower..<upper` of the input becomes `outputCount` samples.
struct ResampleAxis {
    let inputCount: Int
    /// In single precision, as in Pillow.
    let lower: Float
    let upper: Float
    let outputCount: Int
    /// The output samples to compute.
    let range: Range<Int>

    /// Whether the output equals the input.
    var isUnchanged: Bool { outputCount == inputCount && lower == 0 && upper == Float(outputCount) }

    /// Input samples per output sample.
    var scale: Double { Double(upper - lower) / Double(outputCount) }

    /// The input sample nearest to each output sample. Positions are accumulated as in Pillow: the rounding of the sums decides
    /// which samples are chosen.
    func nearest() -> [Int] {
        var position = Double(lower) + scale * 0.5
        let samples = (0..<range.upperBound).map { _ in
            defer { position += scale }
            return min(inputCount - 1, Int(position))
        }
        return Array(samples[range])
    }
}

/// The input samples that each output sample is made of, and their weights, along one axis.
struct ResampleTaps {
    /// The number of weights stored per output sample.
    let span: Int
    /// The first input sample of each output sample.
    var starts: [Int32] = []
    /// The number of input samples of each output sample.
    var counts: [Int32] = []
    /// `span` weights per output sample, in units of 2^-22.
    var weights: [Int32] = []

    /// The taps of the output samples of `axis`. The order of arithmetic is Pillow's, so that the integer weights are equal.
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

    /// The same taps over the inputs without the first `count`.
    func droppingInputs(_ count: Int) -> ResampleTaps {
        var shifted = self
        shifted.starts = starts.map { $0 - Int32(count) }
        return shifted
    }

    /// The same taps over `inputCount` inputs in reverse order.
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

    /// The taps of one output sample, over its own inputs.
    func only(_ position: Int) -> ResampleTaps {
        var only = self
        only.starts = [0]
        only.counts = [counts[position]]
        only.weights = Array(weights[position * span..<(position + 1) * span])
        return only
    }

    /// Calls `body` with the taps in the kernels' format.
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
