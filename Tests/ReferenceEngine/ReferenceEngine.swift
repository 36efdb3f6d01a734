import Compute
import Support

/// The arithmetic as its definitions have it: plain loops in double, one number after the other, nothing clever.
///
/// It implements the primitives alone and takes the defaults of all larger operations, so that these are tested, too.
package final class ReferenceEngine: Engine {
    package let threadCount = 1
    package let name = "reference"
    package let instructionSet = "none"

    package init() {}

    package func measureCeiling(_ precision: Precision) -> ComputeCeiling {
        ComputeCeiling(multiplyAdds: 0, products: 0)
    }

    package func forEachTask(_ count: Int, _ body: (Int) -> Void) { (0..<count).forEach(body) }

    // MARK: Linear layers

    private final class Weights: LinearWeights {
        let matrix: Tensor
        let precision: Precision
        var inputs: Int { matrix.shape[1] }
        var outputs: Int { matrix.shape[0] }
        var activationType: ElementType { precision == .bfloat16 ? .bfloat16 : .float32 }
        init(_ matrix: Tensor, _ precision: Precision) { (self.matrix, self.precision) = (matrix, precision) }
    }

    package func linearWeights(_ weight: Tensor, precision: Precision, changes: Bool) -> any LinearWeights {
        Weights(changes ? weight : Tensor(weight.values, shape: weight.shape), precision)
    }

    /// The nearest number of a precision: of two that are as near, the one with an even last bit. Denormal ones become zero.
    private func bfloat16(_ x: Float) -> Float {
        guard x.isNormal else { return x.isFinite ? 0 : x }
        let unit = Float(sign: .plus, exponent: x.exponent - 7, significand: 1)
        return (x / unit).rounded(.toNearestOrEven) * unit
    }

    /// Numbers as a precision has them; rows of `width` of int8 have a scale each.
    private func rounded(_ x: Tensor, width: Int, _ precision: Precision) -> [Float] {
        switch precision {
        case .float32: return x.values
        case .bfloat16: return x.values.map(bfloat16)
        case .int8:
            let values = x.values
            return values.indices.map { index in
                let largest = values[index / width * width..<(index / width + 1) * width].reduce(0) { max($0, abs($1)) }
                return largest == 0 ? 0 : (values[index] * (127 / largest)).rounded(.toNearestOrEven) * (largest / 127)
            }
        }
    }

    /// What weights are multiplied by.
    private func factors(_ x: Tensor, width: Int? = nil, _ weights: any LinearWeights) -> [Double] {
        rounded(x, width: width ?? weights.inputs, own(weights).precision).map { Double($0) }
    }

    private func matrix(_ weights: any LinearWeights) -> [Double] {
        rounded(own(weights).matrix, width: weights.inputs, own(weights).precision).map { Double($0) }
    }

    private func own(_ weights: any LinearWeights) -> Weights {
        guard let weights = weights as? Weights else { preconditionFailure("weights of another engine") }
        return weights
    }

    package func linear(
        _ x: Tensor, _ weights: any LinearWeights, bias: Tensor?, epilogue: LinearEpilogue, into y: Tensor
    ) {
        let (x, w, inputs, outputs) = (factors(x, weights), matrix(weights), weights.inputs, weights.outputs)
        let (bias, scale) = (bias.map(numbers), epilogue.columnScale.map(numbers))
        let residual = epilogue.residual.map(numbers)
        var result = [Double](repeating: 0, count: y.count)
        for row in 0..<y.count / outputs {
            for column in 0..<outputs {
                var sum = bias?[column] ?? 0
                for k in 0..<inputs { sum += x[row * inputs + k] * w[column * inputs + k] }
                let place = row * outputs + column
                result[place] = (residual?[place] ?? 0) + (scale?[column] ?? 1) * sum
            }
        }
        write(result, to: y)
    }

    package func linearInputGradient(_ dy: Tensor, _ weights: any LinearWeights, dx: Tensor) {
        let (inputs, outputs) = (weights.inputs, weights.outputs)
        let (dy, w) = (factors(dy, width: outputs, weights), matrix(weights))
        var result = [Double](repeating: 0, count: dx.count)
        for row in 0..<dx.count / inputs {
            for column in 0..<outputs {
                for k in 0..<inputs { result[row * inputs + k] += dy[row * outputs + column] * w[column * inputs + k] }
            }
        }
        write(result, to: dx)
    }

    package func linearWeightGradient(
        _ dy: Tensor, x: Tensor, _ weights: any LinearWeights, dWeight: Tensor, dBias: Tensor?
    ) {
        let (inputs, outputs) = (weights.inputs, weights.outputs)
        var (weight, bias) = (numbers(dWeight), dBias.map(numbers))
        let (sums, x, dy) = (numbers(dy), factors(x, weights), factors(dy, width: outputs, weights))
        for row in 0..<x.count / inputs {
            for column in 0..<outputs {
                let d = dy[row * outputs + column]
                bias?[column] += sums[row * outputs + column]
                for k in 0..<inputs { weight[column * inputs + k] += d * x[row * inputs + k] }
            }
        }
        write(weight, to: dWeight)
        if let dBias, let bias { write(bias, to: dBias) }
    }

    // MARK: Products of matrices

    package func matmul(_ a: MatrixBatch, _ b: MatrixBatch, scale: Float, accumulates: Bool, into c: MatrixBatch) {
        let (x, y) = (numbers(a.tensor), numbers(b.tensor))
        var result = numbers(c.tensor)
        for image in 0..<a.images.count {
            for head in 0..<a.heads.count {
                func place(_ m: MatrixBatch, _ row: Int, _ column: Int) -> Int {
                    m.offset + image * m.images.step + head * m.heads.step + row * m.rows.step + column * m.columns.step
                }
                for row in 0..<a.rows.count {
                    for column in 0..<b.columns.count {
                        var sum = 0.0
                        for k in 0..<a.columns.count { sum += x[place(a, row, k)] * y[place(b, k, column)] }
                        let target = place(c, row, column)
                        result[target] = (accumulates ? result[target] : 0) + Double(scale) * sum
                    }
                }
            }
        }
        write(result, to: c.tensor)
    }

    // MARK: Images

    package func patchify(_ images: Tensor, patch: Size, into rows: Tensor) {
        var result = [Double](repeating: 0, count: rows.count)
        forEachPixel(images, patch: patch) { value, image, cell in
            let length = rows.shape[rows.shape.count - 1]
            let place = (cell.channel * patch.height + cell.row) * patch.width + cell.column
            result[(image * cell.patchCount + cell.patch) * length + place] = value
        }
        write(result, to: rows)
    }

    package func pixelTargets(_ images: Tensor, patch: Size, normalizes: Bool, into targets: Tensor) {
        let length = patch.height * patch.width * images.shape[1]
        var result = [Double](repeating: 0, count: targets.count)
        forEachPixel(images, patch: patch) { value, image, cell in
            let place = (cell.row * patch.width + cell.column) * images.shape[1] + cell.channel
            result[(image * cell.patchCount + cell.patch) * length + place] = value
        }
        if normalizes {
            for first in stride(from: 0, to: result.count, by: length) {
                let values = result[first..<first + length]
                let mean = values.reduce(0, +) / Double(length)
                let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, length - 1))
                for i in values.indices { result[i] = (result[i] - mean) / (variance + 1e-6).squareRoot() }
            }
        }
        write(result, to: targets)
    }

    private struct Cell {
        let patch: Int
        let patchCount: Int
        let channel: Int
        let row: Int
        let column: Int
    }

    private func forEachPixel(_ images: Tensor, patch: Size, _ body: (Double, Int, Cell) -> Void) {
        let (channels, height, width) = (images.shape[1], images.shape[2], images.shape[3])
        let pixels = numbers(images)
        let columns = width / patch.width
        for (index, value) in pixels.enumerated() {
            let (column, row, channel) = (index % width, index / width % height, index / (width * height) % channels)
            let cell = Cell(
                patch: row / patch.height * columns + column / patch.width,
                patchCount: height / patch.height * columns, channel: channel, row: row % patch.height,
                column: column % patch.width)
            body(value, index / (width * height * channels), cell)
        }
    }

    package func mixReversed(_ images: Tensor, weight: Float, rest: Float) {
        let x = numbers(images)
        var result = x
        let (count, length) = (images.shape[0], images.count / images.shape[0])
        for image in 0..<count where image != count - 1 - image {
            for i in 0..<length {
                result[image * length + i] =
                    Double(weight) * x[image * length + i] + Double(rest) * x[(count - 1 - image) * length + i]
            }
        }
        write(result, to: images)
    }

    package func swapReversed(_ images: Tensor, rows: Range<Int>, columns: Range<Int>) {
        let x = numbers(images)
        var result = x
        let (count, channels, height, width) = (images.shape[0], images.shape[1], images.shape[2], images.shape[3])
        for image in 0..<count {
            for channel in 0..<channels {
                for row in rows {
                    for column in columns {
                        func place(_ image: Int) -> Int {
                            ((image * channels + channel) * height + row) * width + column
                        }
                        result[place(image)] = x[place(count - 1 - image)]
                    }
                }
            }
        }
        write(result, to: images)
    }

    package func cosines(
        of rowCount: Int, rows: (Range<Int>, inout MutableSpan<Float>) -> Void, with queries: any LinearWeights,
        into y: Tensor
    ) {
        let (width, w) = (queries.inputs, matrix(queries))
        var result = numbers(y)
        for row in 0..<rowCount {
            var vector = [Float](repeating: 0, count: width)
            var span = vector.mutableSpan
            rows(row..<row + 1, &span)
            let length = vector.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
            for query in 0..<queries.outputs {
                let dot = (0..<width).reduce(0.0) { $0 + Double(vector[$1]) * w[query * width + $1] }
                result[row * queries.outputs + query] = length > 0 ? dot / length : 0
            }
        }
        write(result, to: y)
    }
}

/// A tensor's numbers in double.
func numbers(_ x: Tensor) -> [Double] { x.values.map { Double($0) } }

func write(_ values: [Double], to x: Tensor) { x.assign(values.map { Float($0) }) }
