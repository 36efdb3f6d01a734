import Testing

import Imaging

/// Resizing gives the pixels of Pillow 13; tools/make_fixtures_imaging.py wrote their checksums.
@Suite struct ResizeTests {
    @Test func everyFilterGivesThePixelsOfPillow() throws {
        let images = try (1...4).map { try Image(contentsOfFile: fixture("noise.png"), options: .channels($0)) }
        for line in try fixtureTable("resized.csv") {
            func number(_ name: String) throws -> Double { try #require(Double(line[name] ?? "")) }
            let filter = try #require(Interpolation(rawValue: line["filter"] ?? ""))
            let image = images[Int(try number("channels")) - 1]
            let (left, top) = (try number("left"), try number("top"))
            let resized = image.resized(
                width: Int(try number("width")), height: Int(try number("height")), interpolation: filter,
                box: (x: left, y: top, width: try number("right") - left, height: try number("bottom") - top))
            #expect(checksum(resized.pixels) == line["checksum"], "\(line)")
        }
    }

    @Test(arguments: Interpolation.allCases) func channelsAreIndependent(_ filter: Interpolation) throws {
        // Images of one channel take another way through the kernels than those of three.
        var random = SplitMix(state: 1)
        for (width, height, newWidth, newHeight) in [(37, 29, 17, 13), (5, 40, 11, 9), (64, 3, 9, 64), (3, 2, 8, 8)] {
            let pixels = (0..<width * height * 3).map { _ in UInt8.random(in: 0...255, using: &random) }
            let colour = Image(width: width, height: height, channels: 3, pixels: pixels)
                .resized(width: newWidth, height: newHeight, interpolation: filter)
            for channel in 0..<3 {
                let plane = stride(from: channel, to: pixels.count, by: 3).map { pixels[$0] }
                let grey = Image(width: width, height: height, channels: 1, pixels: plane)
                    .resized(width: newWidth, height: newHeight, interpolation: filter)
                #expect(grey.pixels == stride(from: channel, to: colour.pixels.count, by: 3).map { colour.pixels[$0] })
            }
        }
    }

    @Test(arguments: Interpolation.allCases) func aWindowIsAPartOfTheWhole(_ filter: Interpolation) throws {
        let image = try Image(contentsOfFile: fixture("noise.png"))
        for (width, height) in [(30, 20), (90, 90), (61, 20), (61, 47), (30, 47), (20, 90), (90, 20)] {
            let window = Window(x: 4, y: 7, width: 13, height: 11)
            let part = image.resized(width: width, height: height, interpolation: filter, window: window)
            let whole = image.resized(width: width, height: height, interpolation: filter)
            #expect(part == whole.cropped(x: 4, y: 7, width: 13, height: 11), "\(width) × \(height)")
        }
    }

    @Test func theSameSizeIsTheSameImage() throws {
        let image = try Image(contentsOfFile: fixture("noise.png"), options: .channels(4))
        #expect(image.resized(width: 61, height: 47, interpolation: .lanczos) == image)
    }
}
