import LibC

extension CPUEngine {
    package func crossEntropy(_ logits: Tensor, targets: Tensor, scale: Float, losses: Tensor, dLogits: Tensor) {
        let (imageCount, classCount) = (logits.shape[0], logits.shape[1])
        precondition(
            targets.count == logits.count && dLogits.count == logits.count && losses.count == imageCount,
            "crossEntropy: got logits \(logits.shape), targets \(targets.shape), losses \(losses.shape)")
        workers.run(imageCount) { image, _ in
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
