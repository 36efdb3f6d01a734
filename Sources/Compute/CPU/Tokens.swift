extension CPUEngine {
    package func patchRows(_ images: Tensor, patchHeight: Int, patchWidth: Int, into rows: Tensor) {
        let (imageCount, channels, height, width) = (
            images.shape[0], images.shape[1], images.shape[2], images.shape[3]
        )
        let (gridHeight, gridWidth) = (height / patchHeight, width / patchWidth)
        let patchLength = channels * patchHeight * patchWidth
        precondition(
            height % patchHeight == 0 && width % patchWidth == 0
                && rows.count == imageCount * gridHeight * gridWidth * patchLength,
            "patchRows: patches \(patchHeight)×\(patchWidth) got images \(images.shape), rows \(rows.shape)")
        unsafe workers.run(imageCount * gridHeight) { task, _, _ in
            let (image, gridRow) = (task / gridHeight, task % gridHeight)
            var target = unsafe rows.pointer + task * gridWidth * patchLength
            for gridColumn in 0..<gridWidth {
                for channel in 0..<channels {
                    let plane = unsafe images.pointer + (image * channels + channel) * height * width
                    for row in 0..<patchHeight {
                        let source = unsafe plane + (gridRow * patchHeight + row) * width + gridColumn * patchWidth
                        unsafe target.update(from: source, count: patchWidth)
                        unsafe target += patchWidth
                    }
                }
            }
        }
    }

    package func setPrefix(_ prefix: Tensor, of tokens: Tensor) {
        let (tokenCount, width) = (tokens.shape[1], tokens.shape[2])
        precondition(
            prefix.count % width == 0 && prefix.count <= tokenCount * width,
            "setPrefix: got prefix \(prefix.shape), tokens \(tokens.shape)")
        for image in 0..<tokens.shape[0] {
            unsafe (tokens.pointer + image * tokenCount * width).update(from: prefix.pointer, count: prefix.count)
        }
    }

    package func leadingTokens(of x: Tensor, into y: Tensor) {
        let (imageCount, tokenCount, width) = (x.shape[0], x.shape[1], x.shape[2])
        precondition(
            y.shape.count == 3 && y.shape[0] == imageCount && y.shape[1] <= tokenCount && y.shape[2] == width,
            "leadingTokens: got x \(x.shape), y \(y.shape)")
        let length = y.shape[1] * width
        for image in 0..<imageCount {
            unsafe (y.pointer + image * length).update(from: x.pointer + image * tokenCount * width, count: length)
        }
    }

    package func selectToken(_ index: Int, of x: Tensor, into y: Tensor) {
        let (imageCount, tokenCount, width) = (x.shape[0], x.shape[1], x.shape[2])
        precondition(
            index < tokenCount && y.count == imageCount * width, "selectToken: got x \(x.shape), y \(y.shape)")
        for image in 0..<imageCount {
            unsafe (y.pointer + image * width).update(
                from: x.pointer + (image * tokenCount + index) * width, count: width)
        }
    }

    package func meanTokens(from first: Int, of x: Tensor, into y: Tensor) {
        let (imageCount, tokenCount, width) = (x.shape[0], x.shape[1], x.shape[2])
        precondition(
            first < tokenCount && y.count == imageCount * width, "meanTokens: got x \(x.shape), y \(y.shape)")
        let scale = 1 / Float(tokenCount - first)
        unsafe workers.run(imageCount) { image, _, _ in
            let sum = unsafe y.pointer + image * width
            unsafe sum.update(repeating: 0, count: width)
            for token in first..<tokenCount {
                let row = unsafe x.pointer + (image * tokenCount + token) * width
                for i in 0..<width { unsafe sum[i] += row[i] }
            }
            for i in 0..<width { unsafe sum[i] *= scale }
        }
    }

    package func average(_ a: Tensor, _ b: Tensor, into y: Tensor) {
        precondition(
            a.count == y.count && b.count == y.count, "average: got a \(a.shape), b \(b.shape), y \(y.shape)")
        for i in 0..<y.count { unsafe y.pointer[i] = (a.pointer[i] + b.pointer[i]) / 2 }
    }

    package func concatenate(_ a: Tensor, _ b: Tensor, into y: Tensor) {
        let (rowCount, width, otherWidth) = (a.shape[0], a.shape[1], b.shape[1])
        precondition(
            b.shape[0] == rowCount && y.count == rowCount * (width + otherWidth),
            "concatenate: got a \(a.shape), b \(b.shape), y \(y.shape)")
        for row in 0..<rowCount {
            let target = unsafe y.pointer + row * (width + otherWidth)
            unsafe target.update(from: a.pointer + row * width, count: width)
            unsafe (target + width).update(from: b.pointer + row * otherWidth, count: otherWidth)
        }
    }
}
