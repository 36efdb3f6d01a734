import Datasets
import Imaging
import Models
import Support

/// The channels of the images of a data set, from their headers.
package enum ImageChannels {
    /// As many images are read.
    private static let sampleCount = 64

    /// 1 where the images are grey, 3 where any has colour, and one more where all of them have alpha.
    static func common(in dataset: ImageDataset) -> Int {
        let samples = dataset.training
        let count = min(sampleCount, samples.count)
        let found = (0..<count).compactMap { index in
            (try? dataset.imageBytes(of: samples[index * samples.count / count])).flatMap {
                channels(of: $0)
            }
        }
        guard !found.isEmpty else { return 3 }
        let hasColour = found.contains { $0 >= 3 }
        let hasAlpha = found.allSatisfy { $0 == 2 || $0 == 4 }
        return (hasColour ? 3 : 1) + (hasAlpha ? 1 : 0)
    }

    /// The channels of one file; nil where it is neither PNG nor JPEG.
    package static func channels(of file: [UInt8]) -> Int? {
        switch ImageFormat(of: file.prefix(512)) {
        case .png:
            // The colour type follows signature, length, "IHDR", width, height and depth.
            guard file.count > 25 else { return nil }
            return [0: 1, 2: 3, 3: 3, 4: 2, 6: 4][file[25]]
        case .jpeg: return componentsOfJPEG(file)
        default: return nil
        }
    }

    /// The components that the frame header names: 1 is grey, else it is colour (also in CMYK).
    private static func componentsOfJPEG(_ file: [UInt8]) -> Int? {
        var place = 2
        while place + 9 < file.count, file[place] == 0xFF {
            let marker = file[place + 1]
            if marker == 0xFF {
                place += 1
                continue
            }
            // All start-of-frame markers; C4, C8 and CC are something else.
            if (0xC0...0xCF).contains(marker), ![0xC4, 0xC8, 0xCC].contains(marker) {
                return file[place + 9] == 1 ? 1 : 3
            }
            place += 2 + (Int(file[place + 2]) << 8 | Int(file[place + 3]))
        }
        return nil
    }
}
