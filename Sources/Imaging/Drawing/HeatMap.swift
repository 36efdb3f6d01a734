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

    /// The opacity of the colours over the image.
    private static let opacity = 0.6

    /// `image` in grey with the colours of the values, interpolated to its size, drawn over it.
    package func drawn(over image: Image) -> Image {
        let (least, greatest) = range
        let scale = greatest > least ? 255 / (greatest - least) : 0
        let levels = Image(
            width: columns, height: rows, channels: 1, pixels: values.map { UInt8((($0 - least) * scale).rounded()) })
        let stretched = levels.resized(width: image.width, height: image.height, interpolation: .bicubic)
        let colors = (0..<256).map { ColorMap.color(Double($0) / 255) }
        let grey = image.channels >= 3 ? image.grey() : image
        var pixels: [UInt8] = []
        pixels.reserveCapacity(image.width * image.height * 3)
        for (place, level) in stretched.pixels.enumerated() {
            let color = colors[Int(level)]
            let under = grey.pixels[place * grey.channels]
            for sample in [color.red, color.green, color.blue] {
                pixels.append(UInt8((Self.opacity * Double(sample) + (1 - Self.opacity) * Double(under)).rounded()))
            }
        }
        return Image(width: image.width, height: image.height, channels: 3, pixels: pixels)
    }

    /// The colour scale from minimum to maximum, from left to right.
    package static func legend(width: Int, height: Int) -> Image {
        let row = (0..<width).flatMap { column in
            let color = ColorMap.color(Double(column) / Double(max(width - 1, 1)))
            return [color.red, color.green, color.blue]
        }
        return Image(width: width, height: height, channels: 3, pixels: (0..<height).flatMap { _ in row })
    }
}
