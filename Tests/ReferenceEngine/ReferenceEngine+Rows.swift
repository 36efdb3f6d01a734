import Compute
import Foundation

extension ReferenceEngine {
    package func softmax(_ x: Tensor) {
        let width = x.shape[x.shape.count - 1]
        var result = numbers(x)
        for first in stride(from: 0, to: result.count, by: width) {
            let row = result[first..<first + width]
            let top = row.max() ?? 0
            let sum = row.reduce(0) { $0 + exp($1 - top) }
            for i in row.indices { result[i] = exp(row[i] - top) / sum }
        }
        write(result, to: x)
    }

    package func causalSoftmax(_ x: Tensor) {
        let (rowCount, width) = (x.shape[x.shape.count - 2], x.shape[x.shape.count - 1])
        var result = numbers(x)
        for row in 0..<result.count / width {
            let seen = width - rowCount + row % rowCount + 1
            for i in row * width + seen..<(row + 1) * width { result[i] = -.infinity }
        }
        write(result, to: x)
        softmax(x)
    }

    package func softmaxBackward(_ y: Tensor, d: Tensor) {
        let width = y.shape[y.shape.count - 1]
        let (p, dp) = (numbers(y), numbers(d))
        var result = dp
        for first in stride(from: 0, to: p.count, by: width) {
            let dot = (first..<first + width).reduce(0.0) { $0 + p[$1] * dp[$1] }
            for i in first..<first + width { result[i] = p[i] * (dp[i] - dot) }
        }
        write(result, to: d)
    }

    package func layerNorm(
        _ x: Tensor, weight: Tensor, bias: Tensor, epsilon: Float, into y: Tensor, mean: Tensor, variance: Tensor
    ) {
        let (x, w, b, width) = (numbers(x), numbers(weight), numbers(bias), weight.count)
        var (result, means, variances) = (x, numbers(mean), numbers(variance))
        for row in 0..<x.count / width {
            let values = x[row * width..<(row + 1) * width]
            means[row] = values.reduce(0, +) / Double(width)
            variances[row] = values.reduce(0) { $0 + ($1 - means[row]) * ($1 - means[row]) } / Double(width)
            for i in 0..<width {
                let normal = (x[row * width + i] - means[row]) / (variances[row] + Double(epsilon)).squareRoot()
                result[row * width + i] = normal * w[i] + b[i]
            }
        }
        write(result, to: y)
        write(means, to: mean)
        write(variances, to: variance)
    }

    package func layerNormBackward(
        _ dy: Tensor, x: Tensor, weight: Tensor, epsilon: Float, mean: Tensor, variance: Tensor, residual: Tensor?,
        dx: Tensor, dWeight: Tensor, dBias: Tensor
    ) {
        let (d, x, w, width) = (numbers(dy), numbers(x), numbers(weight), weight.count)
        let residual = residual.map(numbers)
        var (result, dw, db) = (d, numbers(dWeight), numbers(dBias))
        for row in 0..<x.count / width {
            let values = x[row * width..<(row + 1) * width]
            let mean = values.reduce(0, +) / Double(width)
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
            let deviation = (variance + Double(epsilon)).squareRoot()
            let normal = values.map { ($0 - mean) / deviation }
            let dNormal = (0..<width).map { d[row * width + $0] * w[$0] }
            let sum = dNormal.reduce(0, +) / Double(width)
            let dot = zip(dNormal, normal).reduce(0) { $0 + $1.0 * $1.1 } / Double(width)
            for i in 0..<width {
                let place = row * width + i
                dw[i] += d[place] * normal[i]
                db[i] += d[place]
                result[place] = (residual?[place] ?? 0) + (dNormal[i] - sum - normal[i] * dot) / deviation
            }
        }
        write(result, to: dx)
        write(dw, to: dWeight)
        write(db, to: dBias)
    }

    package func activate(_ x: Tensor, _ activation: Activation, into y: Tensor) {
        write(numbers(x).map { value(activation, $0) }, to: y)
    }

    package func activateBackward(_ dy: Tensor, x: Tensor, _ activation: Activation, dx: Tensor) {
        write(zip(numbers(dy), numbers(x)).map { $0 * slope(activation, $1) }, to: dx)
    }

    private func value(_ activation: Activation, _ x: Double) -> Double {
        switch activation {
        case .gelu: x / 2 * (1 + erf(x / 2.squareRoot()))
        case .geluTanh: x / 2 * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        case .quickGELU: x / (1 + exp(-1.702 * x))
        }
    }

    private func slope(_ activation: Activation, _ x: Double) -> Double {
        switch activation {
        case .gelu: (1 + erf(x / 2.squareRoot())) / 2 + x * exp(-x * x / 2) / (2 * Double.pi).squareRoot()
        case .geluTanh:
            {
                let c = (2 / Double.pi).squareRoot()
                let t = tanh(c * (x + 0.044715 * x * x * x))
                return (1 + t) / 2 + x / 2 * (1 - t * t) * c * (1 + 3 * 0.044715 * x * x)
            }()
        case .quickGELU:
            {
                let p = 1 / (1 + exp(-1.702 * x))
                return p + 1.702 * x * p * (1 - p)
            }()
        }
    }

    package func normalizeRows(_ x: Tensor) {
        let width = x.shape[1]
        var result = numbers(x)
        for first in stride(from: 0, to: result.count, by: width) {
            let length = result[first..<first + width].reduce(0) { $0 + $1 * $1 }.squareRoot()
            if length > 0 { for i in first..<first + width { result[i] /= length } }
        }
        write(result, to: x)
    }

    package func crossEntropy(_ logits: Tensor, targets: Tensor, scale: Float, losses: Tensor, dLogits: Tensor) {
        let (x, t, classCount) = (numbers(logits), numbers(targets), logits.shape[1])
        var (sums, d) = (numbers(losses), x)
        for image in 0..<logits.shape[0] {
            let range = image * classCount..<(image + 1) * classCount
            let top = x[range].max() ?? 0
            let logSum = log(x[range].reduce(0) { $0 + exp($1 - top) }) + top
            let mass = t[range].reduce(0, +)
            sums[image] = range.reduce(0) { $0 - t[$1] * (x[$1] - logSum) }
            for i in range { d[i] = Double(scale) * (mass * exp(x[i] - logSum) - t[i]) }
        }
        write(sums, to: losses)
        write(d, to: dLogits)
    }

    package func patchLoss(
        _ prediction: Tensor, target: Tensor, index: Tensor?, weights: Tensor, losses: Tensor, dPrediction: Tensor?
    ) {
        let (p, t, w) = (numbers(prediction), numbers(target), numbers(weights))
        let length = p.count / w.count
        let index = index?.indexValues
        var (sums, d) = (numbers(losses), p)
        for patch in w.indices {
            let image = patch / prediction.shape[1]
            let row = index.map { image * target.shape[1] + Int($0[patch]) } ?? patch
            sums[patch] = 0
            for i in 0..<length {
                let difference = p[patch * length + i] - t[row * length + i]
                sums[patch] += difference * difference / Double(length)
                d[patch * length + i] = 2 * w[patch] * difference / Double(length)
            }
        }
        write(sums, to: losses)
        if let dPrediction { write(d, to: dPrediction) }
    }
}
