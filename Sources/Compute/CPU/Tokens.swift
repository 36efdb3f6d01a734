import CKernels

extension CPUEngine {
    package func copyTokens(_ range: Range<Int>, of x: Tensor, into y: Tensor) {
        let (imageCount, tokenCount, width) = (x.shape[0], x.shape[1], x.shape[2])
        precondition(
            range.upperBound <= tokenCount && y.count == imageCount * range.count * width,
            "copyTokens: \(range) of x \(x.shape), y \(y.shape)")
        let length = range.count * width
        forImages(imageCount, length: length) { image in
            unsafe (y.pointer + image * length).update(
                from: x.pointer + (image * tokenCount + range.lowerBound) * width, count: length)
        }
    }

    package func setTokens(_ range: Range<Int>, of x: Tensor, to y: Tensor) {
        let (imageCount, tokenCount, width) = (x.shape[0], x.shape[1], x.shape[2])
        precondition(
            range.upperBound <= tokenCount && y.count == imageCount * range.count * width,
            "setTokens: \(range) of x \(x.shape), y \(y.shape)")
        let length = range.count * width
        forImages(imageCount, length: length) { image in
            unsafe (x.pointer + (image * tokenCount + range.lowerBound) * width).update(
                from: y.pointer + image * length, count: length)
        }
    }

    package func padTokens(_ y: Tensor, into x: Tensor) {
        let (imageCount, tokenCount, width) = (x.shape[0], x.shape[1], x.shape[2])
        precondition(
            y.count % (imageCount * width) == 0 && y.count <= x.count, "padTokens: got y \(y.shape), x \(x.shape)")
        let count = y.count / imageCount
        forImages(imageCount, length: tokenCount * width) { image in
            let target = unsafe x.pointer + image * tokenCount * width
            unsafe target.update(from: y.pointer + image * count, count: count)
            unsafe (target + count).update(repeating: 0, count: tokenCount * width - count)
        }
    }

    package func repeatTokens(_ tokens: Tensor, into x: Tensor) {
        let (tokenCount, width) = (x.shape[1], x.shape[2])
        precondition(
            tokens.count % width == 0 && tokens.count <= tokenCount * width,
            "repeatTokens: got tokens \(tokens.shape), x \(x.shape)")
        for image in 0..<x.shape[0] {
            unsafe (x.pointer + image * tokenCount * width).update(from: tokens.pointer, count: tokens.count)
        }
    }

    package func repeatTokensBackward(_ dx: Tensor, dTokens: Tensor) {
        let (imageCount, tokenCount, width) = (dx.shape[0], dx.shape[1], dx.shape[2])
        precondition(
            dTokens.count % width == 0 && dTokens.count <= tokenCount * width,
            "repeatTokensBackward: got dx \(dx.shape), dTokens \(dTokens.shape)")
        forBlocks(of: Self.columnsPerTask, in: dTokens.count) { columns, _ in
            unsafe vit_add_column_sums(
                dx.pointer + columns.lowerBound, imageCount, columns.count, tokenCount * width,
                dTokens.pointer + columns.lowerBound)
        }
    }

    package func meanTokens(from first: Int, of x: Tensor, into y: Tensor) {
        let (imageCount, tokenCount, width) = (x.shape[0], x.shape[1], x.shape[2])
        precondition(
            first < tokenCount && y.count == imageCount * width, "meanTokens: got x \(x.shape), y \(y.shape)")
        let scale = 1 / Float(tokenCount - first)
        workers.run(imageCount) { image, _ in
            let sum = unsafe y.pointer + image * width
            unsafe sum.update(repeating: 0, count: width)
            for token in first..<tokenCount {
                let row = unsafe x.pointer + (image * tokenCount + token) * width
                for i in 0..<width { unsafe sum[i] += row[i] }
            }
            for i in 0..<width { unsafe sum[i] *= scale }
        }
    }

    package func meanTokensBackward(_ dy: Tensor, from first: Int, dx: Tensor) {
        let (imageCount, tokenCount, width) = (dx.shape[0], dx.shape[1], dx.shape[2])
        precondition(
            first < tokenCount && dy.count == imageCount * width,
            "meanTokensBackward: got dy \(dy.shape), dx \(dx.shape)")
        let share = 1 / Float(tokenCount - first)
        workers.run(imageCount) { image, _ in
            let target = unsafe dx.pointer + image * tokenCount * width
            let source = unsafe dy.pointer + image * width
            unsafe target.update(repeating: 0, count: first * width)
            for token in first..<tokenCount {
                for i in 0..<width { unsafe target[token * width + i] = source[i] * share }
            }
        }
    }

    /// Runs `body` for every image: on several threads where as many floats an image are worth it.
    private func forImages(_ imageCount: Int, length: Int, _ body: (_ image: Int) -> Void) {
        guard imageCount * length >= Self.elementsPerTask else { return (0..<imageCount).forEach(body) }
        forEachTask(imageCount, body)
    }
}
