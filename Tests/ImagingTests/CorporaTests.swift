import Foundation
import Testing

import Imaging

/// Set where the image collections are unpacked; the tests that need them are skipped elsewhere.
let dataFolder = ProcessInfo.processInfo.environment["SWIFT_VIT_DATA"].flatMap { $0.isEmpty ? nil : $0 }

/// Some 1,200 images of the collections give what Pillow makes of them: tools/make_imaging_goldens.py wrote it down.
@Suite(.enabled(if: dataFolder != nil)) struct CorporaTests {
    @Test func decodingAndPreprocessingAreThoseOfPillow() throws {
        var compared = 0
        for line in try fixtureTable("corpora.csv") {
            let path = line["path"] ?? ""
            let isReadByPillow = line["width"] != "error"
            let exception = CorporaExceptions.reason(for: path)
            do {
                let image = try Image(contentsOfFile: (dataFolder ?? "") + "/" + path)
                #expect(isReadByPillow || exception == .readHereAlone, "\(path) is read here, and not by Pillow")
                if !isReadByPillow { continue }
                #expect(exception == nil || exception == .transparency, "\(path) needs no exception")
                var differences: [String] = []
                for (name, value) in try results(image, path: path) where line[name] != value {
                    differences.append(name)
                }
                #expect(differences == (exception == .transparency ? ["rgba"] : []), "\(path)")
                compared += 1
            } catch {
                #expect(!isReadByPillow || exception?.isRefusal == true, "\(path) is refused: \(error)")
            }
        }
        #expect(compared > 1000)
    }

    @Test func preparingFilesIsPreparingTheirImages() throws {
        let preparation = Preprocessing(resize: .shortestEdge(248), crop: .init(height: 224, width: 224))
        for line in try fixtureTable("corpora.csv") {
            let path = (dataFolder ?? "") + "/" + (line["path"] ?? "")
            guard let bytes = try? Image.bytes(ofFile: path) else { continue }
            do throws(ImageError) {
                let image = try Image(decoding: bytes)
                let prepared = try preparation.prepare(decoding: bytes)
                #expect(prepared.image == preparation.prepare(image), "\(path)")
            } catch {
                #expect(throws: error, "\(path)") { try preparation.prepare(decoding: bytes) }
            }
        }
    }

    @Test func theBrokenFilesOfPngSuiteAreRefused() throws {
        let folder = (dataFolder ?? "") + "/image-corpora/pngsuite/png/"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("x") }
        #expect(names.count >= 8)
        for name in names {
            #expect(throws: ImageError.self, "\(name)") { try Image(contentsOfFile: folder + name) }
        }
    }

    /// The same preparations as in tools/make_imaging_goldens.py.
    private func results(_ image: Image, path: String) throws -> [String: String] {
        func decoded(_ channels: Int) throws -> [UInt8] {
            try Image(contentsOfFile: (dataFolder ?? "") + "/" + path, options: .channels(channels)).pixels
        }
        let preprocessing = Preprocessing(
            resize: .shortestEdge(248), interpolation: .bicubic, crop: .init(height: 224, width: 224),
            mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225])
        let (width, height) = (Double(image.width), Double(image.height))
        let filtered = [
            image.resized(width: 160, height: 120, interpolation: .lanczos),
            image.resized(width: 131, height: 90, interpolation: .nearest),
            image.resized(width: 64, height: image.height + 7, interpolation: .hamming),
            image.resized(width: image.width + 5, height: 48, interpolation: .box),
            image.resized(
                width: 77, height: 33, interpolation: .bicubic,
                box: (x: width * 0.125, y: height * 0.25, width: width * 0.625, height: height * 0.75)),
        ]
        return [
            "width": "\(image.width)",
            "height": "\(image.height)",
            "rgb": checksum(image.pixels),
            "grey": checksum(try decoded(1)),
            "rgba": checksum(try decoded(4)),
            "bilinear96": checksum(image.resized(width: 96, height: 96, interpolation: .bilinear).pixels),
            "filters": checksum(filtered.flatMap(\.pixels)),
            "tensor": checksum(preprocessing.normalize(preprocessing.prepare(image))),
        ]
    }
}
