/// A canvas for images and text: 8-bit RGB, initially white.
package struct Canvas {
    /// The number of columns.
    package let width: Int
    /// The number of rows.
    package let height: Int
    private var pixels: [UInt8]

    /// The distance between characters, and between lines, in pixels.
    package static let advance = BitmapFont.width + 1
    package static let lineHeight = BitmapFont.height + 4

    package init(width: Int, height: Int) {
        self.width = width
        self.height = height
        pixels = [UInt8](repeating: 255, count: width * height * 3)
    }

    /// The drawing.
    package var image: Image { Image(width: width, height: height, channels: 3, pixels: pixels) }

    /// Draws an image with its upper left corner at column `x` and row `y`, each pixel as a square of `scale` pixels.
    /// Grey is converted to RGB and alpha ignored; pixels outside the canvas are clipped.
    package mutating func draw(_ image: Image, x: Int, y: Int, scale: Int = 1) {
        let hasColour = image.channels >= 3
        for row in max(0, -y)..<max(max(0, -y), min(image.height * scale, height - y)) {
            for column in max(0, -x)..<max(max(0, -x), min(image.width * scale, width - x)) {
                let source = (row / scale * image.width + column / scale) * image.channels
                let place = ((y + row) * width + x + column) * 3
                for channel in 0..<3 { pixels[place + channel] = image.pixels[source + (hasColour ? channel : 0)] }
            }
        }
    }

    /// Writes a line of ASCII in dark grey, its upper left corner at column `x` and row `y`.
    package mutating func write(_ text: String, x: Int, y: Int) {
        for (index, character) in text.utf8.enumerated() {
            for (row, bits) in BitmapFont.rows(of: character).enumerated() {
                for column in 0..<BitmapFont.width where bits >> UInt8(BitmapFont.width - 1 - column) & 1 == 1 {
                    let (px, py) = (x + index * Self.advance + column, y + row)
                    guard (0..<width).contains(px), (0..<height).contains(py) else { continue }
                    for channel in 0..<3 { pixels[(py * width + px) * 3 + channel] = 40 }
                }
            }
        }
    }

    /// Wraps text into lines of at most `width` pixels; a longer word gets a line of its own.
    package static func lines(of text: String, width: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, (last.utf8.count + 1 + word.utf8.count) * advance <= width {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}
