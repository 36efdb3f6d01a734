import Imaging
import Testing

struct HeatMapTests {
    /// What the equations of Green 2011 give at some places, computed apart.
    @Test(arguments: [
        (0.0, [0, 0, 0]), (0.25, [22, 83, 76]), (0.5, [160, 121, 73]), (0.75, [199, 179, 237]), (1.0, [255, 255, 255]),
    ])
    func coloursEqualTheDefinition(_ value: Double, _ expected: [Int]) {
        let color = ColorMap.color(value)
        #expect([color.red, color.green, color.blue].map { Int($0) } == expected)
    }

    @Test func brightnessRises() {
        let brightness = (0...255).map { level in
            let color = ColorMap.color(Double(level) / 255)
            return 0.30 * Double(color.red) + 0.59 * Double(color.green) + 0.11 * Double(color.blue)
        }
        #expect(zip(brightness, brightness.dropFirst()).allSatisfy { $0 < $1 + 0.5 })
        #expect(brightness[0] == 0 && abs(brightness[255] - 255) < 1e-9)
    }

    @Test func theGreatestNumberShinesInItsPlace() {
        let image = Image(width: 64, height: 32, channels: 3, pixels: [UInt8](repeating: 100, count: 64 * 32 * 3))
        let map = HeatMap(values: [0, 0, 0, 0, 0, 0, 0.5, 0], columns: 4, rows: 2)
        let drawn = map.drawn(over: image)
        #expect(drawn.width == 64 && drawn.height == 32 && drawn.channels == 3)
        func pixel(_ x: Int, _ y: Int) -> [Int] { (0..<3).map { Int(drawn.pixels[(y * 64 + x) * 3 + $0]) } }
        // The middle of the third patch of the second row: three quarters of yellow. The image alone elsewhere.
        #expect(pixel(40, 24)[0] > 190 && pixel(40, 24)[1] > 150 && pixel(40, 24)[2] < 80, "\(pixel(40, 24))")
        #expect(pixel(8, 8) == [100, 100, 100])
        #expect(map.range == (0, 0.5))
    }

    @Test func equalNumbersAreAllLeast() {
        let image = Image(width: 8, height: 8, channels: 1, pixels: [UInt8](repeating: 200, count: 64))
        let drawn = HeatMap(values: [3, 3, 3, 3], columns: 2, rows: 2).drawn(over: image)
        #expect(drawn.pixels == [UInt8](repeating: 200, count: 8 * 8 * 3))
    }

    /// Wherever the attention is greatest, light and dark of the image can still be told apart.
    @Test func theImageIsSeenThroughTheMap() {
        let stripes = Image(width: 32, height: 32, channels: 1, pixels: (0..<1024).map { $0 % 2 == 0 ? 0 : 255 })
        let drawn = HeatMap(values: [0, 0.3, 0.7, 1], columns: 4, rows: 1).drawn(over: stripes)
        let green = (0..<1024).map { Int(drawn.pixels[$0 * 3 + 1]) }
        #expect(stride(from: 0, to: 1024, by: 2).allSatisfy { green[$0 + 1] - green[$0] >= 55 })
        #expect(HeatMap.legend(width: 256, height: 2).pixels.prefix(3) == [160, 160, 160])
    }

    @Test func heatGrowsBrighter() {
        let brightness = (0...255).map { level in
            let color = ColorMap.heat(Double(level) / 255)
            return 0.30 * Double(color.red) + 0.59 * Double(color.green) + 0.11 * Double(color.blue)
        }
        #expect(zip(brightness, brightness.dropFirst()).allSatisfy { $0 < $1 + 0.5 })
    }
}
