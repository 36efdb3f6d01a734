import Compute

extension ReferenceEngine {
    package func copyTokens(_ range: Range<Int>, of x: Tensor, into y: Tensor) {
        write(tokens(range, of: x).flatMap { $0.map { numbers(x)[$0] } }, to: y)
    }

    package func setTokens(_ range: Range<Int>, of x: Tensor, to y: Tensor) {
        let y = numbers(y)
        var result = numbers(x)
        for (from, to) in tokens(range, of: x).joined().enumerated() { result[to] = y[from] }
        write(result, to: x)
    }

    package func repeatTokens(_ tokens: Tensor, into x: Tensor) {
        let values = numbers(tokens)
        var result = numbers(x)
        let count = tokens.count / x.shape[2]
        for places in self.tokens(0..<count, of: x) {
            for (from, to) in places.enumerated() { result[to] = values[from] }
        }
        write(result, to: x)
    }

    package func repeatTokensBackward(_ dx: Tensor, dTokens: Tensor) {
        let values = numbers(dx)
        var result = numbers(dTokens)
        for places in tokens(0..<dTokens.count / dx.shape[2], of: dx) {
            for (to, from) in places.enumerated() { result[to] += values[from] }
        }
        write(result, to: dTokens)
    }

    package func meanTokens(from first: Int, of x: Tensor, into y: Tensor) {
        let values = numbers(x)
        let (count, width) = (x.shape[1] - first, x.shape[2])
        var result = [Double](repeating: 0, count: y.count)
        for (image, places) in tokens(first..<x.shape[1], of: x).enumerated() {
            for (i, from) in places.enumerated() { result[image * width + i % width] += values[from] / Double(count) }
        }
        write(result, to: y)
    }

    package func meanTokensBackward(_ dy: Tensor, from first: Int, dx: Tensor) {
        let values = numbers(dy)
        let (count, width) = (dx.shape[1] - first, dx.shape[2])
        var result = [Double](repeating: 0, count: dx.count)
        for (image, places) in tokens(first..<dx.shape[1], of: dx).enumerated() {
            for (i, to) in places.enumerated() { result[to] = values[image * width + i % width] / Double(count) }
        }
        write(result, to: dx)
    }

    /// For each image the places of the numbers of some tokens of x (B, N, D).
    private func tokens(_ range: Range<Int>, of x: Tensor) -> [Range<Int>] {
        let (tokenCount, width) = (x.shape[1], x.shape[2])
        return (0..<x.shape[0]).map { image in
            let first = image * tokenCount
            return (first + range.lowerBound) * width..<(first + range.upperBound) * width
        }
    }

    package func gather(_ index: Tensor, of x: Tensor, into y: Tensor) {
        let (values, rows) = (numbers(x), index.indexValues)
        let (imageCount, width) = (y.shape[0], y.shape[2])
        let isShared = x.shape.count == 2 || x.shape[0] == 1 && imageCount > 1
        var result: [Double] = []
        for (place, row) in rows.enumerated() {
            let image = isShared ? 0 : place / (rows.count / imageCount)
            let first = (image * x.shape[x.shape.count - 2] + Int(row)) * width
            result += values[first..<first + width]
        }
        write(result, to: y)
    }

    package func gatherBackward(_ dy: Tensor, index: Tensor, dTable: Tensor) {
        let (values, width) = (numbers(dy), dTable.shape[1])
        var result = numbers(dTable)
        for (place, row) in index.indexValues.enumerated() {
            for i in 0..<width { result[Int(row) * width + i] += values[place * width + i] }
        }
        write(result, to: dTable)
    }

    // MARK: Elements

    package func zero(_ x: Tensor) { x.assign([Float](repeating: 0, count: x.count)) }

    package func add(_ x: Tensor, into y: Tensor) { write(zip(numbers(x), numbers(y)).map { $0 + $1 }, to: y) }

    package func scale(_ x: Tensor, by factor: Float) { write(numbers(x).map { $0 * Double(factor) }, to: x) }

    package func lerp(_ y: Tensor, toward x: Tensor, weight: Float) {
        write(zip(numbers(y), numbers(x)).map { $0 + Double(weight) * ($1 - $0) }, to: y)
    }

    package func addBranch(
        _ branch: Tensor, columnScale: Tensor?, imageScale: Tensor?, to x: Tensor, into y: Tensor
    ) {
        let scaled = scaledBranch(numbers(branch), x.shape, columnScale, imageScale)
        write(zip(numbers(x), scaled).map { $0 + $1 }, to: y)
    }

    package func addBranchBackward(
        _ dy: Tensor, branch: Tensor, columnScale: Tensor?, imageScale: Tensor?, dBranch: Tensor, dColumnScale: Tensor?
    ) {
        let (d, b) = (numbers(dy), numbers(branch))
        if let dColumnScale {
            var sums = numbers(dColumnScale)
            let products = scaledBranch(zip(d, b).map { $0 * $1 }, dy.shape, nil, imageScale)
            for (place, product) in products.enumerated() { sums[place % sums.count] += product }
            write(sums, to: dColumnScale)
        }
        write(scaledBranch(d, dy.shape, columnScale, imageScale), to: dBranch)
    }

    private func scaledBranch(
        _ values: [Double], _ shape: [Int], _ columnScale: Tensor?, _ imageScale: Tensor?
    ) -> [Double] {
        let (columns, images) = (columnScale.map(numbers), imageScale.map(numbers))
        let length = values.count / shape[0]
        return values.enumerated().map { $1 * (columns?[$0 % shape[2]] ?? 1) * (images?[$0 / length] ?? 1) }
    }

    package func norm(_ x: Tensor) -> Double { numbers(x).reduce(0) { $0 + $1 * $1 }.squareRoot() }

    package func adamW(
        _ weights: Tensor, gradients: Tensor, moments: (first: Tensor, second: Tensor), range: Range<Int>,
        _ settings: AdamWStep
    ) {
        var (w, m, v) = (numbers(weights), numbers(moments.first), numbers(moments.second))
        let g = numbers(gradients)
        let (beta1, beta2) = (Double(settings.beta1), Double(settings.beta2))
        for i in range {
            let gradient = g[i] * Double(settings.gradientScale)
            m[i] = beta1 * m[i] + (1 - beta1) * gradient
            v[i] = beta2 * v[i] + (1 - beta2) * gradient * gradient
            let correctedRoot = v[i].squareRoot() / Double(settings.correction2Root)
            w[i] -= Double(settings.learningRate) * Double(settings.weightDecay) * w[i]
            w[i] -=
                Double(settings.learningRate) * m[i] / Double(settings.correction1)
                / (correctedRoot + Double(settings.epsilon))
        }
        write(w, to: weights)
        write(m, to: moments.first)
        write(v, to: moments.second)
    }

    package func momentumStep(
        _ weights: Tensor, gradient: Tensor, velocity: Tensor, _ settings: MomentumStep
    ) {
        var (w, g, v) = (numbers(weights), numbers(gradient), numbers(velocity))
        for i in w.indices { g[i] += Double(settings.weightDecay) * w[i] }
        write(g, to: gradient)
        var scale = 1.0
        let (weightNorm, gradientNorm) = (norm(weights), norm(gradient))
        if let trust = settings.trust, weightNorm > 0, gradientNorm > 0 { scale = trust * weightNorm / gradientNorm }
        for i in w.indices {
            v[i] = Double(settings.momentum) * v[i] + scale * g[i]
            w[i] -= Double(settings.learningRate) * v[i]
        }
        write(w, to: weights)
        write(v, to: velocity)
    }
}
