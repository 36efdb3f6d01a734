import Imaging
import Randomness

extension Target {
    /// JPEG as a whole, cropped and reduced, each by the orientation in its EXIF or XMP.
    static let jpeg = Target(name: "jpeg") { bytes in
        for channels in [3, 1] {
            let options = DecodingOptions.small(channels: channels)
            let whole = attempt { try Image(decoding: bytes, options: options) }
            let lenient = DecodingOptions.small(channels: channels, isLenient: true)
            let mended = attempt { try Image(decoding: bytes, options: lenient) }
            check(whole == nil || whole == mended, "an undamaged image is the same where damage is tolerated")
            readCrops(bytes, of: whole, options)
            readCrops(bytes, of: mended, lenient)
            readPrepared(bytes, of: whole, options)
            readPrepared(bytes, of: mended, lenient)
        }
        _ = exifOrientation(bytes[...])
    }

    private static func readCrops(_ bytes: [UInt8], of whole: Image?, _ options: DecodingOptions) {
        var crop = RandomResizedCrop(size: .init(height: 9, width: 8))
        crop.scale = 0.01...1
        for index in 0..<3 {
            // Another crop for every file, and the same one whenever it is read.
            let random = CounterRandom(seed: UInt64(bytes.count), purpose: .augmentation, index: index)
            var (one, other) = (random, random)
            let part = attempt { try crop.apply(decoding: bytes, options: options, using: &one) }
            guard options.onDamage == nil || whole == nil else { continue }
            check(part == whole.map { crop.apply(to: $0, using: &other) }, "crop \(index) is that of the whole image")
        }
    }

    private static func readPrepared(_ bytes: [UInt8], of whole: Image?, _ options: DecodingOptions) {
        let preprocessing = Preprocessing(resize: .shortestEdge(10), crop: .init(height: 8, width: 8))
        let prepared = attempt { try preprocessing.prepare(decoding: bytes, options: options) }
        if options.onDamage == nil {
            check(prepared?.image == whole.map { preprocessing.prepare($0) }, "it is prepared as the whole image is")
        }
        var reduced = options
        reduced.reducesScale = true
        _ = attempt { try preprocessing.prepare(decoding: bytes, options: reduced) }
    }
}
