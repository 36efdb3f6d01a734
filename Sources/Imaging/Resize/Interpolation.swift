import LibC

/// Pillow's resize filters, by Pillow's names.
///
/// All but `nearest` widen when downscaling, to prevent aliasing.
public enum Interpolation: String, Sendable, Hashable, Codable, CaseIterable {
    case nearest, bilinear, bicubic, lanczos, box, hamming

    /// The filter's radius in pixels, without downscaling.
    var support: Double {
        switch self {
        case .nearest: 0
        case .box: 0.5
        case .bilinear, .hamming: 1
        case .bicubic: 2
        case .lanczos: 3
        }
    }

    /// The filter's weight at a distance of `x` pixels.
    func weight(_ x: Double) -> Double {
        switch self {
        case .nearest:
            return x == 0 ? 1 : 0
        case .box:
            return x > -0.5 && x <= 0.5 ? 1 : 0
        case .bilinear:
            return max(0, 1 - abs(x))
        case .hamming:
            let distance = abs(x)
            if distance == 0 { return 1 }
            if distance >= 1 { return 0 }
            // Pillow's constants are single precision.
            return sinc(distance) * (Double(Float(0.54)) + Double(Float(0.46)) * cos(distance * .pi))
        case .bicubic:
            let distance = abs(x)
            let a = -0.5
            if distance < 1 { return ((a + 2) * distance - (a + 3)) * distance * distance + 1 }
            if distance < 2 { return (((distance - 5) * distance + 8) * distance - 4) * a }
            return 0
        case .lanczos:
            return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0
        }
    }

    private func sinc(_ x: Double) -> Double {
        if x == 0 { return 1 }
        let angle = x * .pi
        return sin(angle) / angle
    }
}
