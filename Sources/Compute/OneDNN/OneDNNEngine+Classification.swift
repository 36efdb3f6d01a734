#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension OneDNNEngine {
    package func selectTokenBackward(_ dy: Tensor, index: Int, dx: Tensor) {
        let (imageCount, tokenCount, width) = (dx.shape[0], dx.shape[1], dx.shape[2])
        precondition(
            index < tokenCount && dy.count == imageCount * width,
            "selectTokenBackward: got dy \(dy.shape), dx \(dx.shape)")
        clear(dx)
        for image in 0..<imageCount {
            unsafe (dx.pointer + (image * tokenCount + index) * width).update(
                from: dy.pointer + image * width, count: width)
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
        for image in 0..<imageCount {
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
