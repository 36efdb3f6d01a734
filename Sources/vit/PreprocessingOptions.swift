import ArgumentParser
import Support
import SwiftViT
import Imaging
import Models

/// What to do to pictures otherwise than the checkpoint says.
struct PreprocessingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The size of picture the model sees; positions are interpolated to it.", valueName: "n|hxw"))
    var imageSize: SizeArgument?

    @Option(
        help: ArgumentHelp(
            "How a picture is resized before the middle is cut out: N makes its shorter edge N pixels.",
            valueName: "n|hxw|none"))
    var resize: ResizeArgument?

    @Option(
        help: ArgumentHelp(
            "Resize so that the crop keeps this part of the picture's edge, as timm's crop_pct.", valueName: "p"))
    var cropPct: Double?

    @Option(help: ArgumentHelp("The filter that resizes.", valueName: "filter"))
    var interpolation: Interpolation?

    @Option(
        help: ArgumentHelp("What is subtracted from each channel, for samples from 0 to 1.", valueName: "r,g,b"))
    var mean: ChannelsArgument?

    @Option(help: ArgumentHelp("What each channel is divided by after that.", valueName: "r,g,b"))
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

/// Numbers between commas: one for all channels, or one for each.
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
