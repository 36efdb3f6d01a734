/// A picture being put together from others and from text: 8-bit RGB, white at first.
package struct Canvas {
    /// The number of columns.
    package let width: Int
    /// The number of rows.
    package let height: Int
    private var pixels: [UInt8]

    /// From one character to the next, and from one line to the next.
    package static let advance = BitmapFont.width + 1
    package static let lineHeight = BitmapFont.height + 4

    package init(width: Int, height: Int) {
        self.width = width
        self.height = height
        pixels = [UInt8](repeating: 255, count: width * height * 3)
    }

    /// What was drawn.
    package var image: Image { Image(width: width, height: height, channels: 3, pixels: pixels) }

    /// Draws an image with its upper left corner at column `x` and row `y`, each pixel as a square of `scale` pixels.
    /// Grey becomes colour, and alpha is left out; what lies outside of the canvas is not drawn.
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

    /// Text cut between words into lines of at most `width` pixels; a longer word has a line of its own.
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
