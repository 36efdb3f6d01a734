import Support
import Testing

import Imaging

/// Preprocessing gives what torchvision gives; tools/make_fixtures_imaging.py wrote the checksums.
@Suite struct PreprocessingTests {
    private let imageNet = Preprocessing(
        resize: .shortestEdge(248), crop: .init(height: 224, width: 224), mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225])

    @Test func resizingCroppingAndNormalisingAreTorchvisions() throws {
        let noise = try Image(contentsOfFile: fixture("noise.png"))
        for line in try fixtureTable("preprocessed.csv") {
            func number(_ name: String) throws -> Int { try #require(Int(line[name] ?? "")) }
            let image = noise.cropped(x: 0, y: 0, width: try number("right"), height: try number("bottom"))
            let edge = try number("edge")
            var preprocessing = imageNet
            preprocessing.resize = edge == 0 ? .none : .shortestEdge(edge)
            let crop = Size(height: try number("cropheight"), width: try number("cropwidth"))
            preprocessing.crop = crop
            let prepared = preprocessing.prepare(image)
            #expect(preprocessing.outputSize(width: image.width, height: image.height) == crop)
            #expect(checksum(prepared.pixels) == line["pixels"], "\(line)")
            #expect(checksum(preprocessing.normalize(prepared)) == line["tensor"], "\(line)")
        }
    }

    @Test func theLongEdgeIsRoundedDown() {
        var preprocessing = imageNet
        preprocessing.crop = nil
        #expect(preprocessing.outputSize(width: 400, height: 533) == .init(height: 330, width: 248))
        #expect(preprocessing.outputSize(width: 711, height: 400) == .init(height: 248, width: 440))
        #expect(preprocessing.outputSize(width: 1, height: 1) == .init(height: 248, width: 248))
    }

    @Test func aThreadOfPixelsCostsNoMoreThanItsCrop() {
        // Resized in whole, it would have 248 × 14,880,000 pixels.
        let image = Image(width: 1, height: 60_000, channels: 3, pixels: .init(repeating: 9, count: 180_000))
        let prepared = imageNet.prepare(image)
        #expect((prepared.width, prepared.height) == (224, 224))
        #expect(prepared.pixels.allSatisfy { $0 == 9 })
    }

    @Test func squashingTakesTheSizeAsItIs() throws {
        let preprocessing = Preprocessing(resize: .exact(width: 12, height: 20), interpolation: .bilinear)
        let noise = try Image(contentsOfFile: fixture("noise.png"))
        #expect(preprocessing.outputSize(width: 61, height: 47) == .init(height: 20, width: 12))
        #expect(preprocessing.prepare(noise) == noise.resized(width: 12, height: 20, interpolation: .bilinear))
    }

    @Test func theCropsOffsetFollowsItsRounding() {
        let image = Image(width: 7, height: 1, channels: 1, pixels: [0, 1, 2, 3, 4, 5, 6])
        var preprocessing = Preprocessing(resize: .none, crop: .init(height: 1, width: 4))
        #expect(preprocessing.prepare(image).pixels == [2, 3, 4, 5])
        preprocessing.cropRounding = .down
        #expect(preprocessing.prepare(image).pixels == [1, 2, 3, 4])
    }

    @Test func normalisingIsPlanarAndInSinglePrecision() {
        let image = Image(width: 2, height: 1, channels: 3, pixels: [0, 51, 102, 153, 204, 255])
        let values = imageNet.normalize(image)
        let expected: [Float] = [
            (0 / 255 - 0.485) / 0.229, (153 / 255 - 0.485) / 0.229, (51 / 255 - 0.456) / 0.224,
            (204 / 255 - 0.456) / 0.224,
        ]
        #expect(Array(values[..<4]) == expected)
        #expect(values.count == 6)
    }

    @Test func everySampleIsDividedAsTorchDoes() {
        let preprocessing = Preprocessing(resize: .none, mean: [0], std: [1])
        #expect(preprocessing.normalizationTable(channels: 1) == (0..<256).map { Float($0) / 255 })
    }

    @Test func theRescaleFactorIsFree() {
        let preprocessing = Preprocessing(resize: .none, rescaleFactor: 1 / 127.5, mean: [1], std: [1])
        let table = preprocessing.normalizationTable(channels: 2)
        #expect(table[0] == -1 && table[255] == 1 && table[256] == -1)
    }
}
