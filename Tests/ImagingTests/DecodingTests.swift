import Testing

import Imaging

/// Images of every kind give Pillow's pixels; tools/make_fixtures_imaging.py wrote both.
@Suite struct DecodingTests {
    @Test func everyKindGivesThePixelsOfPillow() throws {
        for line in try fixtureTable("decoded.csv") {
            let name = line["file"] ?? ""
            for (channels, layout) in ["grey", "greyalpha", "rgb", "rgba"].enumerated() {
                let image = try Image(contentsOfFile: fixture(name), options: .channels(channels + 1))
                #expect(image.channels == channels + 1)
                #expect(["\(image.width)", "\(image.height)"] == [line["width"], line["height"]], "\(name)")
                #expect(checksum(image.pixels) == line[layout], "\(name) as \(layout)")
            }
        }
    }

    @Test func bytesAndFileGiveTheSame() throws {
        for name in ["baseline.jpg", "png-6-16.png"] {
            #expect(try Image(decoding: fixtureBytes(name)) == Image(contentsOfFile: fixture(name)))
        }
    }

    @Test(arguments: 1...8) func orientationIsUndoneUnlessUnwanted(_ orientation: Int) throws {
        let bytes = try fixtureBytes("orientation-\(orientation).jpg")
        var options = DecodingOptions()
        options.appliesOrientation = false
        let stored = try Image(decoding: bytes, options: options)
        #expect((stored.width, stored.height) == (24, 16))
        let upright = try Image(decoding: bytes)
        #expect((upright.width, upright.height) == (orientation < 5 ? (24, 16) : (16, 24)))
        #expect(upright == stored.oriented(orientation))
        #expect((upright == stored) == (orientation == 1))
    }

    @Test(arguments: 1...4) func largeImagesAreTurnedAsWell(channels: Int) {
        let (width, height) = (77, 131)
        let pixels = (0..<width * height * channels).map { UInt8(truncatingIfNeeded: $0 &* 167 + $0 / 97) }
        let image = Image(width: width, height: height, channels: channels, pixels: pixels)
        for isFromTheEnd in [false, true] {
            let turned = image.oriented(isFromTheEnd ? 7 : 5)
            #expect((turned.width, turned.height) == (height, width))
            for place in 0..<width * height {
                let (y, x) = place.quotientAndRemainder(dividingBy: height)
                let source = isFromTheEnd ? (height - 1 - x) * width + width - 1 - y : x * width + y
                let (from, to) = (source * channels, place * channels)
                #expect(image.pixels[from..<from + channels] == turned.pixels[to..<to + channels])
            }
        }
    }

    @Test func orientationsTurnAsExifDefinesThem() {
        // The corners of each: top left, top right, bottom left, bottom right.
        let image = Image(width: 2, height: 3, channels: 1, pixels: [1, 2, 0, 0, 3, 4])
        let corners = (1...8).map { orientation in
            let turned = image.oriented(orientation)
            let (last, right) = (turned.pixels.count - 1, turned.width - 1)
            return [turned.pixels[0], turned.pixels[right], turned.pixels[last - right], turned.pixels[last]]
        }
        #expect(
            corners == [
                [1, 2, 3, 4], [2, 1, 4, 3], [4, 3, 2, 1], [3, 4, 1, 2],
                [1, 3, 2, 4], [3, 1, 4, 2], [4, 2, 3, 1], [2, 4, 1, 3],
            ])
    }

    @Test func exifIsReadWhicheverWayItIsWritten() {
        let little: [UInt8] = [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0]
        let big: [UInt8] = [0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0]
        #expect(exifOrientation(little[...]) == 6)
        #expect(exifOrientation(big[...]) == 6)
        #expect(exifOrientation((exifPrefix + big)[...]) == 6)
        for count in 0..<20 {
            #expect(exifOrientation(little.prefix(count)) == nil)
        }
        var far = little
        far[4...7] = [0xFF, 0xFF, 0xFF, 0xFF]
        #expect(exifOrientation(far[...]) == nil)
    }

    @Test func bytesBehindTheEndAreIgnored() throws {
        for name in ["baseline.jpg", "png-2-8.png"] {
            let bytes = try fixtureBytes(name)
            #expect(try Image(decoding: bytes + [1, 2, 3]) == Image(decoding: bytes))
        }
    }
}
