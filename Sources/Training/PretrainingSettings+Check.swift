import Models

extension PretrainingSettings {
    /// Refuses numbers that make no sense on their own, before anything is computed from them.
    func checkValues() throws(TrainingError) {
        let least: [(name: String, value: Int, least: Int)] = [
            ("--width", width, 4), ("--depth", depth, 1), ("--heads", heads, 1), ("--decoder-width", decoderWidth, 4),
            ("--decoder-depth", decoderDepth, 1), ("--decoder-heads", decoderHeads, 1), ("--batch-size", batchSize, 1),
            ("--accumulate", accumulate, 1), ("--image-size", min(imageSize.height, imageSize.width), 1),
            ("--patch-size", min(patchSize.height, patchSize.width), 1), ("--keep", keep, 0),
            ("--log-every", logEvery, 1), ("--cache-memory", cacheMemory, 0),
            ("--checkpoint-every", checkpointEvery, 0),
        ]
        for (name, value, least) in least where value < least {
            throw TrainingError(.usage, "\(name) takes a whole number from \(least) up, not \(value)")
        }
        let largest = 1 << 20
        for (name, value, _) in least.dropLast(4) where value > largest {
            throw TrainingError(.usage, "\(name) takes a number up to \(largest), not \(value)")
        }
        guard (1...4).contains(channels) else {
            throw TrainingError(.usage, "--channels takes a number from 1 to 4, not \(channels)")
        }
        let rates = [
            ("--blr", baseRate), ("--lr", rate), ("--min-lr", minimumRate), ("--weight-decay", weightDecay),
            ("--clip", clip),
        ]
        for (name, value) in rates where !(value.isFinite && value >= 0) {
            throw TrainingError(.usage, "\(name) takes a number from 0 up, not \(value)")
        }
        guard averageDecay >= 0, averageDecay < 1 else {
            throw TrainingError(.usage, "--ema takes a decay from 0 up and below 1, such as 0.999, not \(averageDecay)")
        }
        guard maskRatio > 0, maskRatio < 1 else {
            throw TrainingError(.usage, "--mask-ratio takes a number between 0 and 1, such as 0.75, not \(maskRatio)")
        }
    }

    /// Refuses numbers that do not go together.
    func check() throws(TrainingError) {
        for (name, width, heads) in [("", width, heads), ("decoder-", decoderWidth, decoderHeads)] {
            guard width % heads == 0 else {
                throw TrainingError(.usage, "--\(name)width is \(width), which --\(name)heads \(heads) does not divide")
            }
            guard width % 4 == 0 else {
                throw TrainingError(.usage, "--\(name)width is \(width); the positions need a multiple of 4")
            }
        }
        guard imageSize.height % patchSize.height == 0, imageSize.width % patchSize.width == 0 else {
            throw TrainingError(
                .usage,
                "--image-size \(imageSize.text) cannot be cut into patches of \(patchSize.text); expected a multiple of "
                    + "the patch")
        }
        let patchCount = model.encoder.patchCount
        guard patchCount <= 1 << 16 else {
            throw TrainingError(.usage, "\(patchCount) patches an image are too many; expected a larger --patch-size")
        }
        guard model.keptCount > 0, model.keptCount < patchCount else {
            throw TrainingError(
                .usage,
                "--mask-ratio \(maskRatio) of \(patchCount) patches keeps \(model.keptCount); expected some kept and "
                    + "some removed")
        }
        guard steps > 0 else {
            throw TrainingError(.usage, "--epochs or --steps make a run without a single step; expected more")
        }
        guard checkpointEvery > 0 else {
            throw TrainingError(.usage, "--checkpoint-every takes a number of steps from 1 up, not \(checkpointEvery)")
        }
    }
}

extension Models.Extent {
    /// One number for a square, else height × width.
    var text: String { height == width ? "\(height)" : "\(height)x\(width)" }
}
