/// A grid of values drawn over an image as colours.
package struct HeatMap: Sendable {
    /// The values, row by row.
    package let values: [Float]
    package let columns: Int
    package let rows: Int

    package init(values: [Float], columns: Int, rows: Int) {
        precondition(values.count == columns * rows, "HeatMap: \(values.count) values on \(rows) × \(columns)")
        self.values = values
        self.columns = columns
        self.rows = rows
    }

    /// The minimum and maximum value, the ends of the colour scale.
    package var range: (least: Float, greatest: Float) { (values.min() ?? 0, values.max() ?? 0) }

    /// The opacity of the colour of the maximum; that of the minimum is 0, so that the image is seen through the map.
    private static let opacity = 0.75

    /// `image` in grey with the colours of the values, interpolated to its size, drawn over it: the greater a value, the more
    /// opaque.
    package func drawn(over image: Image) -> Image {
        let (least, greatest) = range
        let scale = greatest > least ? 255 / (greatest - least) : 0
        let levels = Image(
            width: columns, height: rows, channels: 1, pixels: values.map { UInt8((($0 - least) * scale).rounded()) })
        let stretched = levels.resized(width: image.width, height: image.height, interpolation: .bicubic)
        let grey = image.channels >= 3 ? image.grey() : image
        return Self.blend(stretched.pixels, width: image.width) { grey.pixels[$0 * grey.channels] }
    }

    /// The colour scale from minimum to maximum, from left to right, over a middle grey.
    package static func legend(width: Int, height: Int) -> Image {
        let row = (0..<width).map { UInt8($0 * 255 / max(width - 1, 1)) }
        return blend((0..<height).flatMap { _ in row }, width: width) { _ in 160 }
    }

    /// The colours of `levels`, row by row, over a grey image.
    private static func blend(_ levels: [UInt8], width: Int, over grey: (Int) -> UInt8) -> Image {
        let colors = (0..<256).map { ColorMap.heat(Double($0) / 255) }
        var pixels: [UInt8] = []
        pixels.reserveCapacity(levels.count * 3)
        for (place, level) in levels.enumerated() {
            let (color, share) = (colors[Int(level)], opacity * Double(level) / 255)
            for sample in [color.red, color.green, color.blue] {
                pixels.append(UInt8((share * Double(sample) + (1 - share) * Double(grey(place))).rounded()))
            }
        }
        return Image(width: width, height: levels.count / width, channels: 3, pixels: pixels)
    }
}
