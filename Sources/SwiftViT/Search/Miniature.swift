import Compute
import Datasets
import Imaging
import Models

/// An image as 16 × 16 grey pixels, which shows whether another is a copy of it: recompressed, resized or mirrored.
///
/// The limits were chosen on the 446,040 pairs of 945 distinct photos and the 17,997,000 of 6,000 distinct satellite
/// tiles, of which they take none for copies. Of all 27,000 tiles, 43 that show water and nothing else, a grey level apart,
/// fall into 21 groups.
package struct Miniature: Sendable {
    /// The pixels of a row, and the pixels of the decoded image that each is the sum of, in each direction.
    static let (side, scale) = (16, 4)
    /// The correlation that a copy has at least: compression changes an image of little contrast the most.
    private static let minCorrelation = 0.85
    /// The root mean square difference that a copy has at most, in grey levels, and in parts of the contrast.
    private static let (maxDifference, maxRelativeDifference) = (1.0, 0.15)
    /// The contrast of an image of one colour, which has no correlation.
    private static let blank = 0.02

    /// Sums, so that nothing is rounded.
    private let pixels: [UInt16]
    let mean: Double
    /// The standard deviation of the pixels.
    private let contrast: Double

    /// The miniature of a grey image of 64 × 64 pixels.
    package init(_ image: Image) {
        var pixels = [UInt16](repeating: 0, count: Self.side * Self.side)
        for (index, pixel) in image.pixels.enumerated() {
            let (row, column) = (index / image.width / Self.scale, index % image.width / Self.scale)
            pixels[row * Self.side + column] += UInt16(pixel)
        }
        let (count, unit) = (Double(pixels.count), Double(Self.scale * Self.scale))
        let mean = Double(pixels.reduce(0) { $0 + Int($1) }) / count / unit
        let square = Double(pixels.reduce(0) { $0 + Int($1) * Int($1) }) / count / (unit * unit)
        self.mean = mean
        contrast = max(0, square - mean * mean).squareRoot()
        self.pixels = pixels
    }

    /// What decodes an image for its miniature.
    static let preparation = {
        var decoding = DecodingOptions()
        decoding.channels = 1
        decoding.reducesScale = true
        let size = Size(square: side * scale)
        return ImagePreparation(
            imageSize: size,
            preprocessing: Preprocessing(
                resize: .exact(width: size.width, height: size.height), interpolation: .bilinear),
            decoding: decoding)
    }()

    /// Whether one image is a copy of the other.
    package func isCopy(of other: Miniature) -> Bool {
        let least = min(contrast, other.contrast)
        let limit = max(Self.maxDifference, Self.maxRelativeDifference * least)
        let shift = mean - other.mean
        // Cheaper than the pixels, and enough for nearly every pair.
        guard abs(shift) <= limit, abs(contrast - other.contrast) <= limit else { return false }
        return [false, true].contains { isMirrored in
            let covariance = meanProduct(with: other, isMirrored: isMirrored) - mean * other.mean
            let square = contrast * contrast + other.contrast * other.contrast - 2 * covariance + shift * shift
            guard square <= limit * limit else { return false }
            if isBlank && other.isBlank { return true }
            return covariance > 0 && covariance >= Self.minCorrelation * contrast * other.contrast
        }
    }

    /// Whether it is of one colour.
    var isBlank: Bool { contrast < Self.blank }

    /// The pixels less their mean, in grey levels: of two miniatures, the cosine of these is the correlation.
    func deviations(isMirrored: Bool) -> [Float] {
        let (side, unit) = (Self.side, Double(Self.scale * Self.scale))
        return pixels.indices.map { index in
            let mirrored = index / side * side + side - 1 - index % side
            return Float(Double(pixels[isMirrored ? mirrored : index]) / unit - mean)
        }
    }

    private func meanProduct(with other: Miniature, isMirrored: Bool) -> Double {
        let side = Self.side
        var sum = 0
        for start in stride(from: 0, to: side * side, by: side) {
            for column in 0..<side {
                let mirrored = isMirrored ? side - 1 - column : column
                sum += Int(pixels[start + column]) * Int(other.pixels[start + mirrored])
            }
        }
        let unit = Double(Self.scale * Self.scale)
        return Double(sum) / Double(side * side) / (unit * unit)
    }
}
