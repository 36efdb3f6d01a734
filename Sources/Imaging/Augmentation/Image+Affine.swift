import CKernels
import LibC

/// Shear, translation and rotation within the image's bounds, bit-identical to Pillow's `transform` and `rotate`.
extension Image {
    /// The interpolation of a geometric operation, and the fill beyond the edges.
    package struct Sampling: Sendable, Hashable {
        /// Bicubic; otherwise bilinear.
        package var isCubic: Bool
        /// The fill, one value per channel or one for all; missing values are 0.
        package var fill: [UInt8]

        package init(isCubic: Bool, fill: [UInt8]) {
            self.isCubic = isCubic
            self.fill = fill
        }
    }

    /// Each row shifted by `factor` times its index.
    package func shearedHorizontally(_ factor: Double, _ sampling: Sampling) -> Image {
        transformed([1, factor, 0, 0, 1, 0], sampling)
    }

    /// Each column shifted by `factor` times its index.
    package func shearedVertically(_ factor: Double, _ sampling: Sampling) -> Image {
        transformed([1, 0, 0, factor, 1, 0], sampling)
    }

    /// Translated to the left and to the top, by fractional pixels.
    package func shifted(x: Double, y: Double, _ sampling: Sampling) -> Image {
        transformed([1, 0, x, 0, 1, y], sampling)
    }

    /// Rotated about its centre, counter-clockwise.
    package func rotated(degrees: Double, _ sampling: Sampling) -> Image {
        let turn = fmod(degrees, 360)
        let angle = -(turn < 0 ? turn + 360 : turn) * (Double.pi / 180)
        if angle == 0 { return self }
        let (cosine, sine) = (Self.rounded(cos(angle)), Self.rounded(sin(angle)))
        let (x, y) = (Double(width) / 2, Double(height) / 2)
        return transformed(
            [cosine, sine, cosine * -x + sine * -y + 0 + x, -sine, cosine, -sine * -x + cosine * -y + 0 + y], sampling)
    }

    /// To 15 decimals, as Pillow rounds a rotation's matrix: the integer next to x · 10¹⁵, to the exact product's side
    /// where the computed one lies halfway, divided by 10¹⁵.
    private static func rounded(_ x: Double) -> Double {
        let product = x * 1e15
        let error = (-product).addingProduct(x, 1e15)
        let isHalf = abs(product - product.rounded(.towardZero)) == 0.5
        let integer =
            isHalf && error != 0
            ? product.rounded(error > 0 ? .up : .down) : product.rounded(.toNearestOrEven)
        return integer / 1e15
    }

    private func transformed(_ matrix: [Double], _ sampling: Sampling) -> Image {
        let fill = (0..<channels).map { channel in
            sampling.fill.count == 1 ? sampling.fill[0] : channel < sampling.fill.count ? sampling.fill[channel] : 0
        }
        return unsafe Image(width: width, height: height, channels: channels) { output in
            unsafe withAddress { input in
                unsafe vit_affine(
                    input, width, height, Int32(channels), matrix, sampling.isCubic ? 1 : 0, fill, output)
            }
        }
    }
}
