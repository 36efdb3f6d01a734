import Imaging
import Support
import Testing

struct PatchPainterTests {
    private let preprocessing = Preprocessing(resize: .none, mean: [0.5, 0.25, 0.125], std: [0.5, 0.25, 0.125])
    private let patch = Size(height: 3, width: 2)
    /// Two rows of three patches.
    private let image = Image(
        width: 6, height: 6, channels: 3, pixels: (0..<108).map { UInt8(truncatingIfNeeded: $0 * 37 + $0 / 7) })

    private func painter(isNormalized: Bool) -> PatchPainter {
        PatchPainter(patch: patch, preprocessing: preprocessing, isNormalized: isNormalized)
    }

    /// The image as the model takes it, as patches in the order (row, column, channel).
    private func patches(isNormalized: Bool) -> [Float] {
        let planes = preprocessing.normalize(image)
        return (0..<6).flatMap { index -> [Float] in
            var values: [Double] = []
            for row in 0..<3 {
                for column in 0..<2 {
                    for channel in 0..<3 {
                        let (y, x) = (index / 3 * 3 + row, index % 3 * 2 + column)
                        values.append(Double(planes[(channel * 6 + y) * 6 + x]))
                    }
                }
            }
            guard isNormalized else { return values.map { Float($0) } }
            let mean = values.reduce(0, +) / 18
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 17
            return values.map { Float(($0 - mean) / (variance + 1e-6).squareRoot()) }
        }
    }

    @Test(arguments: [false, true])
    func aPerfectPredictionIsTheImage(isNormalized: Bool) {
        let painter = painter(isNormalized: isNormalized)
        #expect(painter.completed(image, prediction: patches(isNormalized: isNormalized)) == image)
    }

    @Test func onlyChosenPatchesArePainted() {
        let painter = painter(isNormalized: false)
        let chosen: [Float] = [0, 1, 0, 0, 0, 1]
        let masked = painter.masked(image, removed: chosen)
        let black = painter.completed(image, prediction: [Float](repeating: -9, count: 108), where: chosen)
        for y in 0..<6 {
            for x in 0..<6 {
                let place = (y * 6 + x) * 3..<(y * 6 + x + 1) * 3
                let isChosen = chosen[y / 3 * 3 + x / 2] == 1
                #expect(Array(masked.pixels[place]) == (isChosen ? [128, 128, 128] : Array(image.pixels[place])))
                #expect(Array(black.pixels[place]) == (isChosen ? [0, 0, 0] : Array(image.pixels[place])))
            }
        }
    }

    @Test func valuesOutOfRangeAreClipped() {
        let prediction: [Float] = [.nan, .infinity, -.infinity, 1e30, -1e30, 0]
        let painted = painter(isNormalized: false).completed(
            image, prediction: prediction + [Float](repeating: 0, count: 102))
        #expect(Array(painted.pixels[..<6]) == [0, 0, 0, 255, 0, 32])
    }
}

struct CanvasTests {
    @Test func picturesAreEnlargedAndCutAtTheBorder() {
        var canvas = Canvas(width: 5, height: 3)
        canvas.draw(Image(width: 2, height: 1, channels: 1, pixels: [10, 20]), x: 1, y: 1, scale: 2)
        canvas.draw(Image(width: 1, height: 1, channels: 4, pixels: [1, 2, 3, 4]), x: 4, y: 2, scale: 9)
        canvas.draw(Image(width: 1, height: 1, channels: 3, pixels: [7, 8, 9]), x: -3, y: -3, scale: 4)
        let grey = canvas.image.pixels.indices.filter { $0 % 3 == 0 }.map { canvas.image.pixels[$0] }
        #expect(grey == [7, 255, 255, 255, 255, 255, 10, 10, 20, 20, 255, 10, 10, 20, 1])
        #expect(Array(canvas.image.pixels.suffix(3)) == [1, 2, 3])
    }

    @Test func textIsDrawnAndCutAtTheBorder() {
        var canvas = Canvas(width: 8, height: 8)
        canvas.write("Iil", x: 0, y: 0)
        let rows = (0..<8).map { y in
            (0..<8).map { canvas.image.pixels[(y * 8 + $0) * 3] == 40 ? "#" : "." }.joined()
        }
        let (whole, cut) = (".###....", "..#.....")
        #expect(rows == [whole, cut, "..#....#", cut, cut, cut, ".###...#", "........"])
    }

    @Test func everyCharacterOfASCIIHasItsOwnShape() {
        let shapes = (0x20...0x7E).map { code in
            var canvas = Canvas(width: 6, height: 8)
            canvas.write(String(UnicodeScalar(UInt8(code))), x: 0, y: 0)
            return canvas.image.pixels
        }
        #expect(Set(shapes).count == 95)
    }

    @Test func linesBreakBetweenWords() {
        #expect(Canvas.lines(of: "a bc def", width: 5 * 6) == ["a bc", "def"])
        #expect(Canvas.lines(of: "a incomprehensible b", width: 5 * 6) == ["a", "incomprehensible", "b"])
        #expect(Canvas.lines(of: "", width: 30) == [])
    }
}
