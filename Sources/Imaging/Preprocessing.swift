import CKernels
import Support

/// The preprocessing of a model's input: resize, centre crop, rescale, normalise.
public struct Preprocessing: Sendable, Hashable {
    /// How an image is resized.
    public enum Resize: Sendable, Hashable {
        /// Not at all.
        case none
        /// The shorter edge gets this length; the longer one keeps the proportions, rounded down.
        case shortestEdge(Int)
        /// The image covers this area, keeping proportions, rounded to nearest: timm's resize for non-square sizes.
        case cover(width: Int, height: Int)
        /// Both edges get these lengths, ignoring proportions.
        case exact(width: Int, height: Int)
    }

    /// How the image is resized.
    public var resize: Resize
    /// The resize filter.
    public var interpolation: Interpolation
    /// The size of the centre crop; nil: no crop.
    public var crop: Size?
    /// The rounding of the crop's offset when the margin is odd.
    public var cropRounding: CropRounding = .halfToEven
    /// The factor that samples from 0 to 255 are multiplied by.
    public var rescaleFactor: Double
    /// The mean to subtract from each channel after rescaling: one value per channel, or one for all.
    public var mean: [Double]
    /// The standard deviation to divide each channel by: one value per channel, or one for all.
    public var std: [Double]

    /// A preprocessing; by default, samples are mapped to −1…1.
    public init(
        resize: Resize, interpolation: Interpolation = .bicubic, crop: Size? = nil,
        cropRounding: CropRounding = .halfToEven, rescaleFactor: Double = 1.0 / 255, mean: [Double] = [0.5],
        std: [Double] = [0.5]
    ) {
        self.resize = resize
        self.interpolation = interpolation
        self.crop = crop
        self.cropRounding = cropRounding
        self.rescaleFactor = rescaleFactor
        self.mean = mean
        self.std = std
    }

    /// Whether pixels may have that mean: what they are meant for is far from the bounds.
    package static func allows(mean: Double) -> Bool { mean.magnitude <= 1e6 }

    /// Whether pixels can be divided by that, in single precision.
    package static func allows(deviation: Double) -> Bool { (1e-6...1e6).contains(deviation.magnitude) }

    /// The size of a prepared image of `width` × `height`.
    public func outputSize(width: Int, height: Int) -> Size {
        crop ?? resizedSize(width: width, height: height)
    }

    /// Resizes and crops in 8 bits, bit-identical to PIL and torchvision.
    public func prepare(_ image: Image) -> Image {
        let framing = framing(width: image.width, height: image.height)
        return framing.cut(
            image.resized(
                width: framing.size.width, height: framing.size.height, interpolation: interpolation,
                window: framing.visible))
    }

    /// The part of an image of `width` × `height` that is kept.
    func framing(width: Int, height: Int) -> Framing {
        let size = resizedSize(width: width, height: height)
        let whole = Window(x: 0, y: 0, width: size.width, height: size.height)
        guard let crop else { return Framing(size: size, wanted: whole) }
        let wanted = cropRounding.window(ofWidth: crop.width, height: crop.height, in: (size.width, size.height))
        return Framing(size: size, wanted: wanted)
    }

    private func resizedSize(width: Int, height: Int) -> Size {
        switch resize {
        case .none:
            return Size(height: height, width: width)
        case .exact(let width, let height):
            return Size(height: height, width: width)
        case .cover(let targetWidth, let targetHeight):
            let ratio = min(Double(height) / Double(targetHeight), Double(width) / Double(targetWidth))
            func scaled(_ length: Int) -> Int { max(1, Int((Double(length) / ratio).rounded(.toNearestOrEven))) }
            return Size(height: scaled(height), width: scaled(width))
        case .shortestEdge(let edge):
            // The long edge is a quotient in double precision, truncated, as in Python.
            let long = max(1, Int(Double(edge * max(width, height)) / Double(min(width, height))))
            return width <= height ? Size(height: long, width: edge) : Size(height: edge, width: long)
        }
    }
}

/// The part of a resized image that a model receives.
struct Framing {
    /// The size of the whole image.
    let size: Size
    /// The crop; it extends beyond an image that is smaller.
    let wanted: Window

    /// The part of `wanted` that lies in the image.
    var visible: Window {
        Window(
            x: max(0, wanted.x), y: max(0, wanted.y), width: min(wanted.width, size.width),
            height: min(wanted.height, size.height))
    }

    /// The crop of an image that consists of the visible part.
    func cut(_ image: Image) -> Image {
        image.cropped(
            x: wanted.x - visible.x, y: wanted.y - visible.y, width: wanted.width, height: wanted.height)
    }
}
