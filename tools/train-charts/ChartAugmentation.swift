import Datasets
import Imaging
import Randomness

/// What may happen to a figure without changing its kind: a slightly smaller window, and other colours.
enum ChartAugmentation {
    /// Squashed to a square of `side` pixels.
    static func steps(side: Int) -> Augmentation {
        Augmentation([
            { image, random in zoomed(image, side: side, &random) },
            { image, random in recoloured(image, &random) },
        ])
    }

    /// In three of five cases a window of 86 to 100 % of each side, else all of it.
    private static func zoomed(_ image: Image, side: Int, _ random: inout CounterRandom) -> Image {
        guard random.isTrue(probability: 0.6) else {
            return image.resized(width: side, height: side, interpolation: .bicubic)
        }
        let width = Double(image.width) * random.uniform(0.86, 1)
        let height = Double(image.height) * random.uniform(0.86, 1)
        let x = random.uniform(0, Double(image.width) - width)
        let y = random.uniform(0, Double(image.height) - height)
        return image.resized(
            width: side, height: side, interpolation: .bicubic, box: (x: x, y: y, width: width, height: height))
    }

    private static let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]

    /// Now and then grey, with exchanged or inverted colours, less contrast, or a tint.
    private static func recoloured(_ image: Image, _ random: inout CounterRandom) -> Image {
        let isGrey = random.isTrue(probability: 0.12)
        let isSwapped = random.isTrue(probability: 0.2)
        let sign = random.isTrue(probability: 0.05) ? -1.0 : 1
        let order = orders[isSwapped ? random.integer(below: orders.count) : 0]
        let contrast = random.isTrue(probability: 0.4) ? 1 - 0.4 * random.uniform() : 1
        let isTinted = random.isTrue(probability: 0.4)
        guard isGrey || isSwapped || sign < 0 || contrast < 1 || isTinted else { return image }
        let tables = (0..<3).map { _ in
            let shift = isTinted ? (random.uniform() - 0.5) * 0.3 : 0
            return (0..<256).map { sample in
                let value = (Double(sample) / 127.5 - 1) * sign * contrast + shift
                return UInt8((min(1, max(-1, value)) + 1) * 127.5)
            }
        }
        return mapped(isGrey ? grey(image) : image, order: order, tables: tables)
    }

    private static func mapped(_ image: Image, order: [Int], tables: [[UInt8]]) -> Image {
        let (red, green, blue) = (order[0], order[1], order[2])
        let (redTable, greenTable, blueTable) = (tables[0], tables[1], tables[2])
        var pixels = image.pixels
        for first in stride(from: 0, to: pixels.count, by: 3) {
            pixels[first] = redTable[Int(image.pixels[first + red])]
            pixels[first + 1] = greenTable[Int(image.pixels[first + green])]
            pixels[first + 2] = blueTable[Int(image.pixels[first + blue])]
        }
        return Image(width: image.width, height: image.height, channels: 3, pixels: pixels)
    }

    private static func grey(_ image: Image) -> Image {
        var pixels = image.pixels
        for first in stride(from: 0, to: pixels.count, by: 3) {
            let mean = UInt8((Int(pixels[first]) + Int(pixels[first + 1]) + Int(pixels[first + 2])) / 3)
            (pixels[first], pixels[first + 1], pixels[first + 2]) = (mean, mean, mean)
        }
        return Image(width: image.width, height: image.height, channels: 3, pixels: pixels)
    }
}
