import Testing

import Imaging

/// Decoding at a reduced scale: close to the whole image, and only where it was asked for and can be had.
@Suite struct ReducedScaleTests {
    private static let reduced = {
        var options = DecodingOptions()
        options.reducesScale = true
        return options
    }()
    private let square = Preprocessing(resize: .shortestEdge(62), crop: .init(height: 56, width: 56))

    /// The mean absolute difference of two images; infinite where their sizes differ.
    private func difference(_ a: Image, _ b: Image) -> Double {
        guard a.pixels.count == b.pixels.count else { return .infinity }
        let sum = zip(a.pixels, b.pixels).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
        return Double(sum) / Double(a.pixels.count)
    }

    @Test(arguments: [(600, 450), (601, 453), (250, 1000), (124, 125)])
    func aLargeImageComesOutNearly(width: Int, height: Int) throws {
        let bytes = TestImages.landscape(width: width, height: height).encodedJPEG(quality: 90)
        let whole = try square.prepare(decoding: bytes)
        let prepared = try square.prepare(decoding: bytes, options: Self.reduced)
        #expect((prepared.width, prepared.height) == (width, height))
        #expect(prepared.image != whole.image)
        #expect(difference(prepared.image, whole.image) < 1.5)
    }

    @Test(arguments: [(123, 400), (62, 62), (30, 20)])
    func anImageLessThanTwiceTheSizeIsTheSame(width: Int, height: Int) throws {
        let bytes = TestImages.landscape(width: width, height: height).encodedJPEG(quality: 90)
        let whole = try square.prepare(decoding: bytes)
        #expect(try square.prepare(decoding: bytes, options: Self.reduced).image == whole.image)
    }

    @Test func decodingAloneTakesNoNotice() throws {
        let bytes = TestImages.landscape(width: 600, height: 450).encodedJPEG(quality: 90)
        #expect(try Image(decoding: bytes, options: Self.reduced) == Image(decoding: bytes))
    }

    @Test func aPNGIsTheSame() throws {
        let bytes = TestImages.landscape(width: 600, height: 450).encodedPNG()
        let whole = try square.prepare(decoding: bytes)
        #expect(try square.prepare(decoding: bytes, options: Self.reduced).image == whole.image)
    }

    @Test func whatLiesBelowIsNotRead() throws {
        let bytes = TestImages.landscape(width: 300, height: 450).encodedJPEG(quality: 90)
        let damaged = bytes.dropLast(100) + [0xff, 0xd9]
        let whole = try square.prepare(decoding: bytes, options: Self.reduced)
        #expect(try square.prepare(decoding: Array(damaged), options: Self.reduced).image == whole.image)
        #expect(throws: ImageError.self) { try square.prepare(decoding: Array(damaged)) }
    }

    @Test(arguments: [600, 601, 607, 250]) func whatLiesBesideIsOfNoAccount(width: Int) throws {
        let bytes = TestImages.landscape(width: width, height: 450).encodedJPEG(quality: 90)
        let whole = try Preprocessing(resize: .shortestEdge(62)).prepare(decoding: bytes, options: Self.reduced).image
        for side in [56, 20, 1] {
            let middle = Preprocessing(resize: .shortestEdge(62), crop: .init(height: side, width: side))
            let prepared = try middle.prepare(decoding: bytes, options: Self.reduced)
            #expect(prepared.image == whole.centerCropped(width: side, height: side), "\(side)")
        }
    }

    @Test func aFileThatEndsTooEarlyIsRefused() {
        let bytes = TestImages.landscape(width: 300, height: 450).encodedJPEG(quality: 90)
        for count in [bytes.count * 9 / 10, bytes.count - 10] {
            #expect(throws: ImageError.truncated(format: "JPEG")) {
                try square.prepare(decoding: Array(bytes.prefix(count)), options: Self.reduced)
            }
        }
    }

    @Test(arguments: 1...8) func orientationIsUndone(_ orientation: Int) throws {
        // Sides that no scale divides: the last column and row of the reduced image are made up in part.
        let stored = TestImages.landscape(width: 605, height: 467).encodedJPEG(quality: 90)
        let bytes = TestImages.withOrientation(orientation, stored)
        let whole = try square.prepare(decoding: bytes)
        let prepared = try square.prepare(decoding: bytes, options: Self.reduced)
        #expect((prepared.width, prepared.height) == (orientation < 5 ? (605, 467) : (467, 605)))
        #expect(prepared.image != whole.image)
        #expect(difference(prepared.image, whole.image) < 1.5)
    }

    @Test func orientationDecidesWhichSidesAreCompared() throws {
        // Upright it is 300 × 800, of which a half is enough; lying, 800 columns allow no reduction to 800 rows.
        let bytes = TestImages.withOrientation(
            6, TestImages.landscape(width: 800, height: 300).encodedJPEG(quality: 90))
        let tall = Preprocessing(resize: .exact(width: 150, height: 400))
        var stored = Self.reduced
        #expect(try tall.prepare(decoding: bytes, options: stored).image != tall.prepare(decoding: bytes).image)
        stored.appliesOrientation = false
        var whole = stored
        whole.reducesScale = false
        let prepared = try tall.prepare(decoding: bytes, options: stored)
        #expect(try prepared.image == tall.prepare(decoding: bytes, options: whole).image)
    }

    @Test func everyKindOfJPEGIsReduced() throws {
        let small = Preprocessing(resize: .exact(width: 5, height: 5))
        for name in try fixtureImages() where name.hasSuffix(".jpg") {
            let bytes = try fixtureBytes(name)
            for channels in 1...4 {
                var options = Self.reduced
                options.channels = channels
                let whole = try small.prepare(decoding: bytes, options: .channels(channels))
                let prepared = try small.prepare(decoding: bytes, options: options)
                #expect(prepared.image.channels == channels)
                // The fixtures are small and of strong colours; 440.jpg comes to 9.
                #expect(difference(prepared.image, whole.image) < 12, "\(name), \(channels)")
            }
        }
    }
}
