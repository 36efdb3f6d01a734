#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension CPUEngine {
    package func setToken(_ index: Int, of x: Tensor, to y: Tensor) {
        let (imageCount, tokenCount, width) = (x.shape[0], x.shape[1], x.shape[2])
        precondition(
            index < tokenCount && y.count == imageCount * width, "setToken: got x \(x.shape), y \(y.shape)")
        for image in 0..<imageCount {
            unsafe (x.pointer + (image * tokenCount + index) * width).update(
                from: y.pointer + image * width, count: width)
        }
    }

    package func meanTokensBackward(_ dy: Tensor, from first: Int, dx: Tensor) {
        let (imageCount, tokenCount, width) = (dx.shape[0], dx.shape[1], dx.shape[2])
        precondition(
            first < tokenCount && dy.count == imageCount * width,
            "meanTokensBackward: got dy \(dy.shape), dx \(dx.shape)")
        let share = 1 / Float(tokenCount - first)
        unsafe workers.run(imageCount) { image, _, _ in
            let target = unsafe dx.pointer + image * tokenCount * width
            let source = unsafe dy.pointer + image * width
            unsafe target.update(repeating: 0, count: first * width)
            for token in first..<tokenCount {
                for i in 0..<width { unsafe target[token * width + i] = source[i] * share }
            }
        }
    }

    package func crossEntropy(_ logits: Tensor, targets: Tensor, scale: Float, losses: Tensor, dLogits: Tensor) {
        let (imageCount, classCount) = (logits.shape[0], logits.shape[1])
        precondition(
            targets.count == logits.count && dLogits.count == logits.count && losses.count == imageCount,
            "crossEntropy: got logits \(logits.shape), targets \(targets.shape), losses \(losses.shape)")
        unsafe workers.run(imageCount) { image, _, _ in
            let row = unsafe logits.pointer + image * classCount
            let target = unsafe targets.pointer + image * classCount
            let gradient = unsafe dLogits.pointer + image * classCount
            var largest = unsafe Double(row[0])
            for i in 1..<classCount { largest = unsafe max(largest, Double(row[i])) }
            var (sum, dot, mass) = (0.0, 0.0, 0.0)
            for i in 0..<classCount {
                sum += unsafe exp(Double(row[i]) - largest)
                dot += unsafe Double(target[i]) * (Double(row[i]) - largest)
                mass += unsafe Double(target[i])
            }
            unsafe losses.pointer[image] = Float(mass * log(sum) - dot)
            for i in 0..<classCount {
                let probability = unsafe exp(Double(row[i]) - largest) / sum
                unsafe gradient[i] = scale * Float(mass * probability - Double(target[i]))
            }
        }
    }
}
