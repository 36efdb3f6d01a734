import Support

/// How a table of positions is fitted to another grid of patches.
public enum PositionInterpolation: String, Sendable, Hashable, Codable {
    /// timm: bicubic with antialiasing.
    case timm
    /// transformers: bicubic without antialiasing.
    case transformers
}

/// Fits a table of positions to another grid of patches.
package enum PositionResampling {
    /// Resamples a table of `width` columns from the grid `old` to the grid `new`, as the given library does.
    package static func resample(
        _ table: [Float], width: Int, from old: Size, to new: Size,
        as kind: PositionInterpolation
    ) -> [Float] {
        if old == new { return table }
        let rowTaps = taps(from: old.height, to: new.height, as: kind)
        let columnTaps = taps(from: old.width, to: new.width, as: kind)
        var wide = [Double](repeating: 0, count: old.height * new.width * width)
        for row in 0..<old.height {
            for (column, taps) in columnTaps.enumerated() {
                for (index, weight) in taps {
                    for i in 0..<width {
                        wide[(row * new.width + column) * width + i] +=
                            weight * Double(table[(row * old.width + index) * width + i])
                    }
                }
            }
        }
        var result = [Float](repeating: 0, count: new.height * new.width * width)
        var sums = [Double](repeating: 0, count: new.width * width)
        for (row, taps) in rowTaps.enumerated() {
            for i in sums.indices { sums[i] = 0 }
            for (index, weight) in taps {
                for i in sums.indices { sums[i] += weight * wide[index * new.width * width + i] }
            }
            for i in sums.indices { result[row * new.width * width + i] = Float(sums[i]) }
        }
        return result
    }

    /// For each place of the new axis, the old places it is made of and their weights.
    private static func taps(
        from old: Int, to new: Int, as kind: PositionInterpolation
    ) -> [[(index: Int, weight: Double)]] {
        switch kind {
        case .timm: antialiasedTaps(from: old, to: new)
        case .transformers: plainTaps(from: old, to: new)
        }
    }

    /// PyTorch's `interpolate(mode: bicubic, antialias: true)`: Keys' kernel with a = −0.5, widened when shrinking.
    private static func antialiasedTaps(from old: Int, to new: Int) -> [[(index: Int, weight: Double)]] {
        let scale = Double(old) / Double(new)
        let stretch = max(scale, 1)
        let support = 2 * stretch
        return (0..<new).map { place in
            let center = scale * (Double(place) + 0.5)
            let first = max(Int(center - support + 0.5), 0)
            let last = min(Int(center + support + 0.5), old)
            let taps = (first..<last).map {
                (index: $0, weight: cubic((Double($0) + 0.5 - center) / stretch, a: -0.5))
            }
            let sum = taps.reduce(0) { $0 + $1.weight }
            return taps.map { ($0.index, $0.weight / sum) }
        }
    }

    /// PyTorch's `interpolate(mode: bicubic, align_corners: false)`: a = −0.75, the border repeated.
    private static func plainTaps(from old: Int, to new: Int) -> [[(index: Int, weight: Double)]] {
        let scale = Double(old) / Double(new)
        return (0..<new).map { place in
            let source = scale * (Double(place) + 0.5) - 0.5
            let base = Int(source.rounded(.down))
            return (-1...2).map { step in
                (min(max(base + step, 0), old - 1), cubic(source - Double(base + step), a: -0.75))
            }
        }
    }

    /// Keys' cubic convolution kernel (1981).
    private static func cubic(_ x: Double, a: Double) -> Double {
        let x = abs(x)
        if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        if x < 2 { return ((x - 5) * x + 8) * x * a - 4 * a }
        return 0
    }
}
