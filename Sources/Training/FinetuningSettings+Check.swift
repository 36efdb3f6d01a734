import Imaging
import Models

extension FinetuningSettings {
    package func checkValues() throws(TrainingError) {
        try run.checkValues([("--freeze", freeze, 0)])
        let shares = [("--erasing", erasing), ("--smoothing", smoothing)]
        for (name, value) in shares where !(0...1).contains(value) {
            throw TrainingError(.usage, "\(name) takes a number from 0 to 1, not \(value)")
        }
        for (name, value) in [("--drop-path", dropPath), ("--patch-dropout", patchDropout)]
        where !(0..<1).contains(value) {
            throw TrainingError(.usage, "\(name) takes a number from 0 up and below 1, not \(value)")
        }
        for (name, value) in [("--mixup", mixup), ("--cutmix", cutmix)] where !(0...1e3).contains(value) {
            throw TrainingError(.usage, "\(name) takes a number from 0 up, such as 0.8, not \(value)")
        }
        guard layerDecay > 0, layerDecay <= 1 else {
            throw TrainingError(.usage, "--layer-decay takes a number above 0 and up to 1, not \(layerDecay)")
        }
        guard cropScale.count == 2, cropScale[0] > 0, cropScale[0] <= cropScale[1], cropScale[1] <= 1 else {
            throw TrainingError(
                .usage,
                "--crop-scale takes the least part of the area, above 0 and up to 1, such as 0.08, not "
                    + "\(cropScale.first ?? 0)")
        }
    }

    package func check() throws(TrainingError) {
        try run.check()
        guard freeze <= run.depth else {
            throw TrainingError(.usage, "--freeze \(freeze) is more than the \(run.depth) blocks of the model")
        }
        guard hasClassToken || pooling == .meanPatches else {
            throw TrainingError(
                .usage, "--pool class needs a class token, which the model has not; expected --pool mean")
        }
        guard !hasDistillationToken || pooling == .classToken else {
            throw TrainingError(.usage, "--pool mean does not go with a distillation token; expected --pool class")
        }
        guard !turns || run.imageSize.width == run.imageSize.height else {
            throw TrainingError(
                .usage,
                "--turn needs square pictures, not \(run.imageSize.width) × \(run.imageSize.height); expected one number "
                    + "as --image-size")
        }
        guard keptCount > 0 else {
            throw TrainingError(
                .usage, "--patch-dropout \(patchDropout) leaves none of \(model.patchCount) patches; expected less")
        }
        guard RandAugment(policy: randAugment, preprocessing: run.preprocessing) != nil || randAugment == "none" else {
            throw TrainingError(
                .usage, "--rand-augment takes a policy such as m9-mstd0.5-inc1, or none, not \(randAugment)")
        }
    }
}

extension RandAugment {
    /// The policy that timm writes as `m9-n2-mstd0.5-p0.5-inc1`, in any order, with `rand-` before it or not; nil where
    /// it is none. The operations are always those that grow stronger with the magnitude.
    package init?(policy: String, preprocessing: Preprocessing) {
        self.init(preprocessing)
        var parts = policy.split(separator: "-", omittingEmptySubsequences: false)
        if parts.first == "rand" { parts.removeFirst() }
        guard let first = parts.first, first.hasPrefix("m") else { return nil }
        for part in parts {
            let name = part.prefix { $0.isLetter }
            guard let value = Double(part.dropFirst(name.count)), value >= 0 else { return nil }
            switch name {
            case "m" where value <= 10: magnitude = value
            case "mstd": deviation = value
            case "n" where value == value.rounded() && value <= 16: count = Int(value)
            case "p" where value <= 1: probability = value
            case "inc" where value == 1: break
            default: return nil
            }
        }
    }
}
