import CKernels
import Support

/// What a model wants done to an image before it sees it: resize, centre crop, rescale, normalise.
public struct Preprocessing: Sendable, Hashable {
    /// How an image is brought to size.
    public enum Resize: Sendable, Hashable {
        /// It stays as it is.
        case none
        /// The shorter edge gets this length, the longer one follows, rounded down.
        case shortestEdge(Int)
        /// The image covers this area in its own proportions, rounded to the nearest: timm's way to a size that is not
        /// square.
        case cover(width: Int, height: Int)
        /// Both edges get these lengths, whatever becomes of the proportions.
        case exact(width: Int, height: Int)
    }

    /// How the image is brought to size.
    public var resize: Resize
    /// The filter that does it.
    public var interpolation: Interpolation
    /// What is cut from the middle; nil: nothing is cut.
    public var crop: Size?
    /// Where the crop begins when the margin is odd.
    public var cropRounding: CropRounding = .halfToEven
    /// What samples from 0 to 255 are multiplied by.
    public var rescaleFactor: Double
    /// What is subtracted from each channel after rescaling. One value a channel, or one for all.
    public var mean: [Double]
    /// What each channel is divided by after that. One value a channel, or one for all.
    public var std: [Double]

    /// A recipe; without `mean` and `std`, samples are mapped to −1…1.
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

    /// The size that an image of `width` × `height` has when it is prepared.
    public func outputSize(width: Int, height: Int) -> Size {
        crop ?? resizedSize(width: width, height: height)
    }

    /// Resizes and crops, in 8 bits, as PIL and torchvision do, to the bit.
    public func prepare(_ image: Image) -> Image {
        let framing = framing(width: image.width, height: image.height)
        return framing.cut(
            image.resized(
                width: framing.size.width, height: framing.size.height, interpolation: interpolation,
                window: framing.visible))
    }

    /// What is kept of an image of `width` × `height`.
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
            // The long edge is truncated from a quotient in double precision, as Python computes it.
            let long = max(1, Int(Double(edge * max(width, height)) / Double(min(width, height))))
            return width <= height ? Size(height: long, width: edge) : Size(height: edge, width: long)
        }
    }
}

/// The part of a resized image that a model sees.
struct Framing {
    /// The size of the whole image.
    let size: Size
    /// What is cut from it; where the image is smaller, it reaches over the edges.
    let wanted: Window

    /// The part of `wanted` that lies in the image.
    var visible: Window {
        Window(
            x: max(0, wanted.x), y: max(0, wanted.y), width: min(wanted.width, size.width),
            height: min(wanted.height, size.height))
    }

    /// What is wanted, of an image that consists of the visible part.
    func cut(_ image: Image) -> Image {
        image.cropped(
            x: wanted.x - visible.x, y: wanted.y - visible.y, width: wanted.width, height: wanted.height)
    }
}
