import LibC

/// Colours of values from 0 to 1.
package enum ColorMap {
    package typealias Color = (red: UInt8, green: UInt8, blue: UInt8)

    /// The cubehelix colour map: perceived brightness increases evenly from black to white while the hue rotates.
    ///
    /// D. A. Green 2011, "A colour scheme for the display of astronomical intensity images", equations 1 and 2, with its
    /// default of start 0.5, −1.5 rotations, hue 1 and gamma 1.
    package static func color(_ value: Double) -> Color {
        let level = min(max(value, 0), 1)
        let angle = 2 * Double.pi * (0.5 / 3 - 1.5 * level)
        let amplitude = level * (1 - level) / 2
        func channel(_ cosine: Double, _ sine: Double) -> UInt8 {
            let sample = level + amplitude * (cosine * cos(angle) + sine * sin(angle))
            return UInt8((min(max(sample, 0), 1) * 255).rounded())
        }
        return (channel(-0.14861, 1.78277), channel(-0.29227, -0.90649), channel(1.97294, 0))
    }

    /// From violet over red to yellow, ever brighter: told apart on every grey, also by people who see fewer colours.
    package static func heat(_ value: Double) -> Color {
        let stops: [[Double]] = [[40, 12, 120], [140, 20, 140], [220, 50, 90], [252, 140, 20], [252, 215, 50]]
        let place = min(max(value, 0), 1) * Double(stops.count - 1)
        let first = min(Int(place), stops.count - 2)
        let samples = zip(stops[first], stops[first + 1]).map { low, high in
            UInt8((low + (high - low) * (place - Double(first))).rounded())
        }
        return (samples[0], samples[1], samples[2])
    }
}
