import Support
import SwiftViT
import Imaging
import Models
import Testing

struct PreprocessingOverridesTests {

    private func apply(
        to preprocessing: Preprocessing, _ change: (inout PreprocessingOverrides) -> Void
    ) throws -> (ViTConfiguration, Preprocessing) {
        var overrides = PreprocessingOverrides()
        change(&overrides)
        return try overrides.apply(to: ViTConfiguration(), preprocessing)
    }

    /// timm: floor(size / crop_pct), with the crop_pct that was stated: 0.9 makes 248 of 224, and 426 of 384.
    @Test(arguments: [(248, 384, 426), (256, 384, 438), (224, 384, 384), (235, 448, 471)])
    func anotherImageSizeKeepsTheCropFraction(edge: Int, size: Int, expected: Int) throws {
        let plain = Preprocessing(resize: .shortestEdge(edge), crop: .init(height: 224, width: 224))
        let (configuration, preprocessing) = try apply(to: plain) { $0.imageSize = Size(square: size) }
        #expect(preprocessing.resize == .shortestEdge(expected))
        #expect(preprocessing.crop == .init(height: size, width: size))
        #expect(configuration.imageSize == Size(square: size))
        #expect(configuration.positionImageSize == Size(square: 224))
    }

    @Test func oblongImageSizes() throws {
        let plain = Preprocessing(resize: .shortestEdge(248), crop: .init(height: 224, width: 224))
        let (_, preprocessing) = try apply(to: plain) { $0.imageSize = Size(height: 192, width: 256) }
        #expect(preprocessing.resize == .cover(width: 284, height: 213))
        #expect(preprocessing.crop == .init(height: 192, width: 256))
        let squash = Preprocessing(resize: .exact(width: 224, height: 224))
        let (_, squashed) = try apply(to: squash) { $0.imageSize = Size(height: 192, width: 256) }
        #expect(squashed.resize == .exact(width: 256, height: 192))
    }

    @Test func theTrainedSizeNeedsNoInterpolation() throws {
        var overrides = PreprocessingOverrides()
        overrides.imageSize = Size(square: 518)
        var configuration = ViTConfiguration()
        configuration.patchSize = Size(square: 14)
        configuration.positionImageSize = Size(square: 518)
        let plain = Preprocessing(resize: .shortestEdge(256), crop: .init(height: 224, width: 224))
        let (changed, _) = try overrides.apply(to: configuration, plain)
        #expect(changed.positionImageSize == nil)
    }

    @Test func cropFractionsAndResizes() throws {
        let plain = Preprocessing(resize: .shortestEdge(248), crop: .init(height: 224, width: 224))
        #expect(try apply(to: plain) { $0.cropFraction = 1 }.1.resize == .shortestEdge(224))
        #expect(try apply(to: plain) { $0.cropFraction = 0.875 }.1.resize == .shortestEdge(256))
        #expect(
            try apply(to: plain) { $0.resize = .exact(width: 224, height: 224) }.1.resize
                == .exact(width: 224, height: 224))
    }

    @Test func whatDoesNotFitIsRefused() {
        let plain = Preprocessing(resize: .shortestEdge(248), crop: .init(height: 224, width: 224))
        let changes: [(inout PreprocessingOverrides) -> Void] = [
            { $0.imageSize = Size(square: 225) }, { $0.imageSize = Size(square: 0) },
            { $0.imageSize = Size(square: 1 << 14) }, { $0.cropFraction = 0 }, { $0.cropFraction = .nan },
            {
                $0.cropFraction = 0.9
                $0.resize = .shortestEdge(224)
            }, { $0.mean = [0, 0] }, { $0.std = [0] }, { $0.std = [.infinity] },
            { $0.std = [1e-40] }, { $0.std = [1e308] }, { $0.mean = [1e308] }, { $0.mean = [.nan] },
        ]
        for change in changes {
            #expect(throws: ModelUseError.self) { try apply(to: plain, change) }
        }
    }
}
