import Support

/// The plan of a resize, or of a part of its result.
struct ResizePlan {
    let columns: ResampleAxis
    let rows: ResampleAxis
    let interpolation: Interpolation
    /// Whether the vertical pass comes first. Each pass rounds, so that the order affects the result.
    let takesRowsFirst: Bool

    /// The plan of resizing an image of `size` to `target`, of which `window` is computed.
    ///
    /// `box` is the part of the image to resize; nil: all of it.
    init(
        of size: Size, to target: Size, interpolation: Interpolation,
        box: PixelBox? = nil, window: Window
    ) {
        precondition(
            target.width > 0 && target.height > 0,
            "Image.resized: expected a positive size, got \(target.width) × \(target.height)")
        let box = ResampleBox(box, width: size.width, height: size.height)
        precondition(box.isInside(width: size.width, height: size.height), "Image.resized: the box is not in the image")
        columns = ResampleAxis(
            inputCount: size.width, lower: box.left, upper: box.right, outputCount: target.width,
            range: window.columns)
        rows = ResampleAxis(
            inputCount: size.height, lower: box.top, upper: box.bottom, outputCount: target.height, range: window.rows)
        self.interpolation = interpolation
        // The rule of Pillow 13, which applies to the whole image whatever the box. Earlier versions always started with the
        // horizontal pass, and sometimes differ by one where the rule holds.
        takesRowsFirst =
            size.height > target.height && size.height - target.height > 2 * (size.width - target.width)
    }

    /// Whether the result is an unscaled part of the image.
    var isUnchanged: Bool { columns.isUnchanged && rows.isUnchanged }

    /// Whether the resize takes one pass along each axis.
    var hasTwoPasses: Bool { !columns.isUnchanged && !rows.isUnchanged && interpolation != .nearest }
}

/// The plan for an upright image in terms of the stored image: the same sums of the same samples.
struct StoredResize {
    let columns: ResampleTaps
    let rows: ResampleTaps
    let takesRowsFirst: Bool
    /// Whether rows of the result are columns of the upright image.
    let isTransposed: Bool
    /// The stored columns and rows that are needed.
    let neededColumns: Range<Int>
    let neededRows: Range<Int>

    /// The plan of two passes for the part of an upright image of `size` that begins at (`x`, `y`); `orientation` is EXIF's, 1
    /// to 8.
    init(_ plan: ResizePlan, x: Int = 0, y: Int = 0, of size: Size, orientation: Int) {
        isTransposed = (5...8).contains(orientation)
        takesRowsFirst = plan.takesRowsFirst != isTransposed
        let across = ResampleTaps(plan.columns, filter: plan.interpolation).droppingInputs(-x)
        let down = ResampleTaps(plan.rows, filter: plan.interpolation).droppingInputs(-y)
        let (columns, width) = isTransposed ? (down, size.height) : (across, size.width)
        let (rows, height) = isTransposed ? (across, size.width) : (down, size.height)
        self.columns = [2, 3, 7, 8].contains(orientation) ? columns.mirrored(inputCount: width) : columns
        self.rows = [3, 4, 6, 7].contains(orientation) ? rows.mirrored(inputCount: height) : rows
        neededColumns = self.columns.inputRange
        neededRows = self.rows.inputRange
    }
}

/// A part of an image, in fractional pixels.
package typealias PixelBox = (x: Double, y: Double, width: Double, height: Double)

/// The part of an image to resize, in single precision, as in Pillow.
private struct ResampleBox {
    let left: Float
    let top: Float
    let right: Float
    let bottom: Float

    init(_ box: PixelBox?, width: Int, height: Int) {
        left = Float(box?.x ?? 0)
        top = Float(box?.y ?? 0)
        right = Float(box.map { $0.x + $0.width } ?? Double(width))
        bottom = Float(box.map { $0.y + $0.height } ?? Double(height))
    }

    func isInside(width: Int, height: Int) -> Bool {
        left >= 0 && top >= 0 && right <= Float(width) && bottom <= Float(height) && left < right && top < bottom
    }
}
