import Testing

import Imaging
import Randomness

/// What libjpeg cannot leave out of its own accord: neighbours from which it smooths, and rows that it miscounts.
@Suite struct PartialDecodingTests {
    /// Progressive files whose scans end early, and files with sampling factors of 4.
    private static let names = ["unfinished.jpg", "unfinished-wide.jpg", "sampling-14.jpg", "sampling-24.jpg"]

    private static let tolerant = {
        var options = DecodingOptions()
        options.onDamage = { _, _ in }
        return options
    }()

    @Test(arguments: names) func aCropIsThatOfTheWholeImage(_ name: String) throws {
        let bytes = try fixtureBytes("crops/" + name)
        let image = try Image(decoding: bytes, options: Self.tolerant)
        var crop = RandomResizedCrop(size: .init(height: 5, width: 5))
        crop.scale = 0.01...0.6
        for index in 0..<60 {
            var one = CounterRandom(seed: 5, purpose: .augmentation, index: index)
            var other = one
            let part = try crop.apply(decoding: bytes, options: Self.tolerant, using: &one)
            #expect(part == crop.apply(to: image, using: &other), "\(index)")
        }
    }

    @Test(arguments: names) func aReducedImageIsCroppedLikeAWholeOne(_ name: String) throws {
        let bytes = try fixtureBytes("crops/" + name)
        var options = Self.tolerant
        options.reducesScale = true
        for edge in [2, 4, 7] {
            let resize = Preprocessing.Resize.shortestEdge(edge)
            let whole = try Preprocessing(resize: resize).prepare(decoding: bytes, options: options).image
            for side in 1...edge {
                let middle = Preprocessing(resize: resize, crop: .init(height: side, width: side))
                let prepared = try middle.prepare(decoding: bytes, options: options)
                #expect(prepared.image == whole.centerCropped(width: side, height: side), "\(edge), \(side)")
            }
        }
    }

    @Test(.enabled(if: dataFolder != nil)) func cropsOfTheCorporaAreThoseOfTheirImages() throws {
        var compared = 0
        for line in try fixtureTable("corpora.csv") {
            let path = (dataFolder ?? "") + "/" + (line["path"] ?? "")
            guard let bytes = try? Image.bytes(ofFile: path), ImageFormat(of: bytes) == .jpeg,
                let image = try? Image(decoding: bytes, options: Self.tolerant)
            else { continue }
            let crop = RandomResizedCrop(size: .init(height: 16, width: 16))
            for index in 0..<3 {
                var one = CounterRandom(seed: 6, purpose: .augmentation, index: index)
                var other = one
                let part = try crop.apply(decoding: bytes, options: Self.tolerant, using: &one)
                #expect(part == crop.apply(to: image, using: &other), "\(path), \(index)")
            }
            compared += 1
        }
        #expect(compared > 100)
    }
}
