import Testing

import Imaging

/// Preparing a file gives what preparing the decoded image gives, although less of it is decoded.
@Suite struct PreparedImageTests {
    private let preparations = [
        Preprocessing(resize: .shortestEdge(24), crop: .init(height: 20, width: 20)),
        Preprocessing(resize: .shortestEdge(13), interpolation: .lanczos, crop: .init(height: 9, width: 30)),
        Preprocessing(resize: .shortestEdge(70), interpolation: .bilinear, crop: .init(height: 64, width: 64)),
        Preprocessing(resize: .exact(width: 9, height: 40), interpolation: .box),
        Preprocessing(resize: .exact(width: 40, height: 9), interpolation: .nearest),
        Preprocessing(resize: .none, crop: .init(height: 10, width: 10)),
    ]

    private func options(_ change: (inout DecodingOptions) -> Void) -> DecodingOptions {
        var options = DecodingOptions()
        change(&options)
        return options
    }

    @Test func filesOfEveryKindComeOutTheSame() throws {
        for name in try fixtureImages() {
            let bytes = try fixtureBytes(name)
            guard decodingError(bytes) == nil else { continue }
            for channels in 1...4 {
                let image = try Image(decoding: bytes, options: .channels(channels))
                for preparation in preparations {
                    let prepared = try preparation.prepare(decoding: bytes, options: .channels(channels))
                    #expect((prepared.width, prepared.height) == (image.width, image.height))
                    #expect(prepared.image == preparation.prepare(image), "\(name), \(channels): \(preparation.resize)")
                }
            }
        }
    }

    @Test(arguments: [(400, 533), (533, 400), (160, 720), (720, 160), (250, 249), (31, 31), (17, 1)])
    func whatLiesOutsideOfTheCropDoesNotMatter(width: Int, height: Int) throws {
        let bytes = TestImages.noise(width: width, height: height, seed: 3).encodedJPEG(quality: 90)
        let image = try Image(decoding: bytes)
        for (edge, side) in [(248, 224), (224, 224), (32, 8), (32, 1), (300, 20), (600, 1)] {
            let preparation = Preprocessing(resize: .shortestEdge(edge), crop: .init(height: side, width: side))
            #expect(try preparation.prepare(decoding: bytes).image == preparation.prepare(image), "\(edge) to \(side)")
        }
    }

    @Test(arguments: 2...8) func picturesThatLieOtherwiseComeOutTheSame(_ orientation: Int) throws {
        for (width, height) in [(400, 533), (533, 400), (160, 720), (720, 160), (250, 249), (17, 40), (40, 1)] {
            let stored = TestImages.noise(width: width, height: height, seed: 6).encodedJPEG(quality: 90)
            let bytes = TestImages.withOrientation(orientation, stored)
            let image = try Image(decoding: bytes)
            for (edge, side) in [(248, 224), (32, 8), (32, 1), (300, 20), (600, 1)] {
                for interpolation in [Interpolation.bicubic, .bilinear, .box, .lanczos, .nearest] {
                    let preparation = Preprocessing(
                        resize: .shortestEdge(edge), interpolation: interpolation,
                        crop: .init(height: side, width: side))
                    let prepared = try preparation.prepare(decoding: bytes)
                    #expect((prepared.width, prepared.height) == (image.width, image.height))
                    #expect(
                        prepared.image == preparation.prepare(image),
                        "\(width) × \(height), \(edge) to \(side), \(interpolation)")
                }
            }
        }
    }

    @Test(arguments: [1, 4, 6]) func damageIsFoundWhereverItIs(orientation: Int) throws {
        // The crop shows a band in the middle; what lies below it is not decoded into pixels.
        let preparation = Preprocessing(resize: .shortestEdge(24), crop: .init(height: 24, width: 24))
        let sound = TestImages.withOrientation(
            orientation, TestImages.noise(width: 48, height: 160, seed: 4).encodedJPEG(quality: 90))
        var random = SplitMix(state: 5)
        var refused = 0
        for round in 0..<400 {
            var bytes = sound
            let position = Int.random(in: 640..<bytes.count - 2, using: &random)
            if round % 2 == 0 { bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random) }
            if round % 2 == 1 { bytes.removeSubrange(position...) }
            let error = decodingError(bytes)
            do throws(ImageError) {
                let prepared = try preparation.prepare(decoding: bytes)
                #expect(error == nil && (try? preparation.prepare(Image(decoding: bytes))) == prepared.image)
            } catch let other {
                #expect(other == error)
                refused += 1
            }
        }
        #expect(refused > 200 && refused < 400)
    }

    @Test func tooLargeAndOfTheWrongKindIsRefused() throws {
        let bytes = TestImages.noise(width: 40, height: 20, seed: 1).encodedJPEG(quality: 80)
        let limited = options { $0.maxPixels = 799 }
        #expect(throws: ImageError.tooManyPixels(width: 40, height: 20, limit: 799)) {
            try preparations[0].prepare(decoding: bytes, options: limited)
        }
        #expect(throws: ImageError.empty) { try preparations[0].prepare(decoding: []) }
        #expect(throws: ImageError.otherFormat(name: "GIF")) {
            try preparations[0].prepare(decoding: Array("GIF89a".utf8))
        }
    }
}
