import ArgumentParser
import Models
import Training

struct DecoderOptions: ParsableArguments {
    @Option(help: "The decoder's width. (default: two thirds of the encoder's, at most 512)")
    var decoderWidth: Int?

    @Option(help: "The decoder's blocks. (default: 8, below vit-base 4)")
    var decoderDepth: Int?

    @Option(help: "The decoder's heads. (default: one for 32 of its width)")
    var decoderHeads: Int?

    func fill(_ options: inout PretrainingOptions) {
        options.decoderWidth = decoderWidth
        options.decoderDepth = decoderDepth
        options.decoderHeads = decoderHeads
    }
}

struct PretrainingTaskOptions: ParsableArguments {
    @Option(help: "The share of patches that is removed. (default: 0.75)")
    var maskRatio: Double?

    @Option(help: "How they are drawn: random, block or grid. (default: random)")
    var sampling: MaskSampling?

    @Option(help: "What is to be predicted: normalized, pixels, mean or downsampled. (default: normalized)")
    var target: MAEConfiguration.Target?

    @Option(help: "crop: random resized crops and mirror images; or none. (default: crop)")
    var augment: PretrainingSettings.Augment?

    @Option(help: FitHelp.text)
    var fit: RunSettings.Fit?

    @Option(
        help: "The part held out to watch over the training, where the data name none. (default: 0.01 from 1,000 on)")
    var validationFraction: Double?

    func fill(_ options: inout PretrainingOptions) {
        options.maskRatio = maskRatio
        options.sampling = sampling
        options.target = target
        options.augment = augment
        options.fit = fit
        options.validationFraction = validationFraction
    }
}

extension MaskSampling: ExpressibleByArgument {}
extension MAEConfiguration.Target: ExpressibleByArgument {}
