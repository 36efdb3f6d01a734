import Randomness
import Testing

import Imaging

/// The operations give the pixels of timm and Pillow; tools/fixtures_augment.py wrote their checksums.
@Suite struct RandAugmentTests {
    private let fill: [UInt8] = [124, 116, 104]

    @Test func everyOperationGivesThePixelsOfPillow() throws {
        let noise = try Image(contentsOfFile: fixture("noise.png"))
        let sources = [
            "noise": noise,
            "narrow": noise.resized(width: 40, height: 33, interpolation: .bilinear),
            "wide": noise.cropped(x: 0, y: 0, width: 9, height: 5)
                .resized(width: 80, height: 60, interpolation: .bicubic),
            "thin": noise.cropped(x: 0, y: 0, width: 2, height: 30),
            "even": Image(
                width: 8, height: 8, channels: 3, pixels: (0..<64).flatMap { _ in [10, 200, 30] as [UInt8] }),
        ]
        let lines = try fixtureTable("augmented.csv")
        #expect(Set(lines.map { $0["operation"] }).count == RandAugment.Operation.allCases.count)
        for line in lines {
            let operation = try #require(RandAugment.Operation(rawValue: line["operation"] ?? ""))
            let colour = try #require(sources[line["source"] ?? ""])
            let result = operation.apply(
                to: line["channels"] == "1" ? colour.grey() : colour, level: try #require(Double(line["level"] ?? "")),
                isNegated: line["negated"] == "1",
                Image.Sampling(isCubic: line["filter"] == "bicubic", fill: fill))
            #expect(checksum(result.pixels) == line["checksum"], "\(line)")
        }
    }

    @Test func posterizingToNoBitsGivesBlack() throws {
        // Earlier versions of Pillow did so, too; version 13 refuses.
        let result = RandAugment.Operation.posterize.apply(
            to: try Image(contentsOfFile: fixture("noise.png")), level: 10, isNegated: false,
            Image.Sampling(isCubic: true, fill: fill))
        #expect(result.pixels.allSatisfy { $0 == 0 })
    }

    @Test func everyOperationTakesEveryKindOfImage() throws {
        for channels in 1...4 {
            let image = try Image(contentsOfFile: fixture("noise.png"), options: .channels(channels))
            for operation in RandAugment.Operation.allCases {
                let result = operation.apply(
                    to: image, level: 9, isNegated: false, Image.Sampling(isCubic: true, fill: fill))
                #expect(result.channels == channels && result.width == image.width, "\(operation)")
            }
        }
    }

    @Test func imagesThatNoOperationChangesAreAboutAQuarter() throws {
        // Two draws, each applied in half of the cases; the noise of every value stays as it is in two of the
        // fifteen operations.
        let image = try Image(contentsOfFile: fixture("noise.png"))
        let augment = RandAugment(Preprocessing(resize: .none))
        var unchanged = 0
        for index in 0..<600 {
            var random = CounterRandom(seed: 3, purpose: .augmentation, index: index)
            if augment.apply(to: image, using: &random) == image { unchanged += 1 }
        }
        #expect((150...260).contains(unchanged), "\(unchanged)")
    }

    @Test func theFillIsTheMeanColour() {
        let preprocessing = Preprocessing(resize: .none, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225])
        #expect(RandAugment(preprocessing).fill == [124, 116, 104])
    }

    @Test func sameNumbersGiveTheSameImage() throws {
        let image = try Image(contentsOfFile: fixture("noise.png"))
        let augment = RandAugment(Preprocessing(resize: .none), interpolation: nil)
        func results() -> [Image] {
            (0..<40).map { index in
                var random = CounterRandom(seed: 1, purpose: .augmentation, index: index)
                return augment.apply(to: image, using: &random)
            }
        }
        #expect(results() == results())
        #expect(Set(results().map { checksum($0.pixels) }).count > 20)
    }
}
