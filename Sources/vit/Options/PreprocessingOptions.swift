import ArgumentParser
import Support
import SwiftViT
import Imaging
import Models

/// Preprocessing that overrides the checkpoint's.
struct PreprocessingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Input size of the model; position embeddings are interpolated to it.", valueName: "n|hxw"))
    var imageSize: SizeArgument?

    @Option(
        help: ArgumentHelp(
            "Size before the centre crop: N sets the shorter edge to N pixels.",
            valueName: "n|hxw|none"))
    var resize: ResizeArgument?

    @Option(
        help: ArgumentHelp(
            "Fraction of the resized edge that the centre crop keeps, as timm's crop_pct.", valueName: "p"))
    var cropPct: Double?

    @Option(help: ArgumentHelp("Resize filter.", valueName: "filter"))
    var interpolation: Interpolation?

    @Option(
        help: ArgumentHelp("Per-channel mean to subtract, for samples from 0 to 1.", valueName: "r,g,b"))
    var mean: ChannelsArgument?

    @Option(help: ArgumentHelp("Per-channel standard deviation to divide by.", valueName: "r,g,b"))
    var std: ChannelsArgument?

    var overrides: PreprocessingOverrides {
        var overrides = PreprocessingOverrides()
        overrides.imageSize = imageSize.map { Size(height: $0.height, width: $0.width) }
        overrides.resize = resize?.resize
        overrides.cropFraction = cropPct
        overrides.interpolation = interpolation
        overrides.mean = mean?.values
        overrides.std = std?.values
        return overrides
    }
}

extension Interpolation: ExpressibleByArgument {}

/// A side of a square, or height × width: `224`, `192x256`.
struct SizeArgument: ExpressibleByArgument {
    let height: Int
    let width: Int

    init?(argument: String) {
        let sides = argument.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
        guard (1...2).contains(sides.count), let height = sides[0], let width = sides[sides.count - 1],
            (1...Self.longest).contains(height), (1...Self.longest).contains(width)
        else { return nil }
        self.height = height
        self.width = width
    }

    private static let longest = 65_535
}

/// The length of the shorter edge, height × width, or `none`.
struct ResizeArgument: ExpressibleByArgument {
    let resize: Preprocessing.Resize

    init?(argument: String) {
        if argument == "none" {
            resize = .none
        } else if let size = SizeArgument(argument: argument) {
            resize =
                argument.contains("x") ? .exact(width: size.width, height: size.height) : .shortestEdge(size.height)
        } else {
            return nil
        }
    }
}

/// Comma-separated numbers: one for all channels, or one per channel.
struct ChannelsArgument: ExpressibleByArgument {
    let values: [Double]

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        let values = parts.compactMap { Double($0) }
        guard values.count == parts.count, (1...4).contains(values.count), values.allSatisfy(\.isFinite) else {
            return nil
        }
        self.values = values
    }
}
