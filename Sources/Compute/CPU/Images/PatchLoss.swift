import Support

extension CPUEngine {
    package func pixelTargets(
        _ images: Tensor, patch: Size, normalizes: Bool, into targets: Tensor
    ) {
        let (imageCount, channels, height, width) = (
            images.shape[0], images.shape[1], images.shape[2], images.shape[3]
        )
        let gridWidth = width / patch.width
        let patchCount = height / patch.height * gridWidth
        let length = patch.height * patch.width * channels
        precondition(
            targets.count == imageCount * patchCount * length,
            "pixelTargets: got images \(images.shape), targets \(targets.shape)")
        workers.run(imageCount) { image, _ in
            for number in 0..<patchCount {
                let (top, left) = (number / gridWidth * patch.height, number % gridWidth * patch.width)
                let target = unsafe targets.pointer + (image * patchCount + number) * length
                for row in 0..<patch.height {
                    for channel in 0..<channels {
                        let source =
                            unsafe images.pointer
                            + ((image * channels + channel) * height + top + row) * width + left
                        for column in 0..<patch.width {
                            unsafe target[(row * patch.width + column) * channels + channel] = source[column]
                        }
                    }
                }
                if normalizes { unsafe Self.standardize(target, count: length) }
            }
        }
    }

    /// (x − mean) / √(variance + 1e-6), the variance over n − 1 (He et al. 2022, section 3).
    private static func standardize(_ x: UnsafeMutablePointer<Float>, count: Int) {
        var sum = 0.0
        for i in 0..<count { sum += unsafe Double(x[i]) }
        let mean = sum / Double(count)
        var squares = 0.0
        for i in 0..<count {
            let difference = unsafe Double(x[i]) - mean
            squares += difference * difference
        }
        let variance = squares / Double(max(count - 1, 1))
        let scale = 1 / (variance + 1e-6).squareRoot()
        for i in 0..<count { unsafe x[i] = Float((Double(x[i]) - mean) * scale) }
    }

    package func patchLoss(
        _ prediction: Tensor, target: Tensor, index: Tensor?, weights: Tensor, losses: Tensor, dPrediction: Tensor?
    ) {
        let patchCount = weights.count
        let length = prediction.count / patchCount
        let (ownCount, allCount) = (prediction.shape[1], target.shape[1])
        precondition(
            prediction.count == patchCount * length && losses.count == patchCount
                && target.shape == [prediction.shape[0], index == nil ? ownCount : allCount, length]
                && index.map { $0.count == patchCount } ?? true
                && dPrediction.map { $0.count == prediction.count } ?? true,
            "patchLoss: got prediction \(prediction.shape), target \(target.shape), weights \(weights.shape)")
        forBlocks(of: Self.rowsPerTask(width: length), in: patchCount) { patches, _ in
            for patch in patches {
                let p = unsafe prediction.pointer + patch * length
                let row = index.map { unsafe patch / ownCount * allCount + Int($0.indices[patch]) } ?? patch
                let t = unsafe target.pointer + row * length
                var sum = 0.0
                for i in 0..<length {
                    let difference = unsafe Double(p[i] - t[i])
                    sum += difference * difference
                }
                unsafe losses.pointer[patch] = Float(sum / Double(length))
                guard let dPrediction else { continue }
                let d = unsafe dPrediction.pointer + patch * length
                let scale = unsafe 2 * weights.pointer[patch] / Float(length)
                for i in 0..<length { unsafe d[i] = scale * (p[i] - t[i]) }
            }
        }
    }
}
