import Foundation

/// The operations as their definitions read, in double and without regard to speed.
enum Definition {
    /// x (rows, inputs) · weight (outputs, inputs)ᵀ + bias.
    static func linear(_ x: [Double], weight: [Double], bias: [Double], inputs: Int) -> [Double] {
        let outputs = bias.count
        return (0..<x.count / inputs).flatMap { row in
            (0..<outputs).map { output in
                (0..<inputs).reduce(bias[output]) { $0 + x[row * inputs + $1] * weight[output * inputs + $1] }
            }
        }
    }

    static func gelu(_ x: [Double]) -> [Double] { x.map { $0 * 0.5 * (1 + erf($0 / 2.0.squareRoot())) } }

    static func geluTanh(_ x: [Double]) -> [Double] {
        x.map { $0 * 0.5 * (1 + tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0))) }
    }

    static func quickGELU(_ x: [Double]) -> [Double] { x.map { $0 / (1 + exp(-1.702 * $0)) } }

    static func layerNorm(_ x: [Double], weight: [Double], bias: [Double], epsilon: Double) -> [Double] {
        let width = weight.count
        return (0..<x.count / width).flatMap { row in
            let values = x[row * width..<(row + 1) * width]
            let mean = values.reduce(0, +) / Double(width)
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
            return zip(values, zip(weight, bias)).map {
                ($0 - mean) / (variance + epsilon).squareRoot() * $1.0 + $1.1
            }
        }
    }

    static func softmax(_ x: [Double]) -> [Double] {
        let largest = x.max() ?? 0
        let powers = x.map { exp($0 - largest) }
        let sum = powers.reduce(0, +)
        return powers.map { $0 / sum }
    }

    /// qkv (images, tokens, 3 · width) to (images, tokens, width).
    static func attention(_ qkv: [Double], images: Int, tokens: Int, width: Int, heads: Int) -> [Double] {
        let headWidth = width / heads
        var result = [Double](repeating: 0, count: images * tokens * width)
        func at(_ image: Int, _ token: Int, _ part: Int, _ head: Int, _ i: Int) -> Double {
            qkv[(image * tokens + token) * 3 * width + part * width + head * headWidth + i]
        }
        for image in 0..<images {
            for head in 0..<heads {
                for query in 0..<tokens {
                    let scores = (0..<tokens).map { key in
                        (0..<headWidth).reduce(0) { $0 + at(image, query, 0, head, $1) * at(image, key, 1, head, $1) }
                            / Double(headWidth).squareRoot()
                    }
                    for (key, probability) in softmax(scores).enumerated() {
                        for i in 0..<headWidth {
                            result[(image * tokens + query) * width + head * headWidth + i] +=
                                probability * at(image, key, 2, head, i)
                        }
                    }
                }
            }
        }
        return result
    }
}
