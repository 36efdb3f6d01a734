import Testing

import Imaging

@Suite struct EncodingTests {
    @Test(arguments: 1...4) func aPNGHoldsEveryBit(_ channels: Int) throws {
        let image = try Image(contentsOfFile: fixture("noise.png"), options: .channels(channels))
        #expect(try Image(decoding: image.encodedPNG(), options: .channels(channels)) == image)
    }

    @Test func aJPEGIsCloserTheHigherItsQuality() throws {
        let image = try Image(contentsOfFile: fixture("baseline.jpg"))
        func distance(_ quality: Int) throws -> Double {
            let decoded = try Image(decoding: image.encodedJPEG(quality: quality))
            try #require(decoded.pixels.count == image.pixels.count)
            let differences = zip(image.pixels, decoded.pixels).map { abs(Double($0) - Double($1)) }
            return differences.reduce(0, +) / Double(differences.count)
        }
        let distances = try [30, 75, 100].map(distance)
        #expect(distances[0] > distances[1] && distances[1] > distances[2] && distances[2] < 4, "\(distances)")
    }

    @Test func aJPEGHasNoAlpha() throws {
        let image = try Image(contentsOfFile: fixture("noise.png"), options: .channels(4))
        let opaque = try Image(contentsOfFile: fixture("noise.png"))
        #expect(image.encodedJPEG(quality: 80) == opaque.encodedJPEG(quality: 80))
        let grey = Image(width: 2, height: 1, channels: 2, pixels: [10, 0, 20, 255])
        #expect(grey.withoutAlpha().pixels == [10, 20])
    }
}
