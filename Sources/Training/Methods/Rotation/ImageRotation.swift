import Datasets
import Imaging

/// One of the four rotations of an image by quarters, counterclockwise as in the paper.
package enum ImageRotation: Int, CaseIterable, Sendable {
    case none, quarter, half, threeQuarters

    static var count: Int { allCases.count }

    /// The name of its class.
    package var label: String { "\(90 * rawValue)°" }

    /// The rotated image. Pixels only change places.
    package func apply(to image: Image) -> Image {
        // These are EXIF's numbers for an image that has to be rotated so to be upright.
        switch self {
        case .none: image
        case .quarter: image.oriented(8)
        case .half: image.oriented(3)
        case .threeQuarters: image.oriented(6)
        }
    }

    /// All four, as the views of an image.
    static var views: [Augmentation.Step] {
        allCases.map { rotation in { image, _ in rotation.apply(to: image) } }
    }
}
