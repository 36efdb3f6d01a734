import Testing

import Compute

@Suite struct AttentionTests {
    /// 101 and 300 queries of a head are those of several tasks, the last of which has fewer.
    @Test(arguments: [(1, 1, 8, 2), (2, 5, 12, 3), (2, 50, 32, 2), (1, 101, 12, 3), (1, 300, 16, 2), (1, 40, 64, 2)])
    func forward(shape: (images: Int, tokens: Int, width: Int, heads: Int)) {
        for engine in engines {
            var numbers = Numbers(seed: 8)
            let qkv = numbers.values(shape.images * shape.tokens * 3 * shape.width).map { $0 * 2 }
            let y = Tensor.unwritten(shape.images, shape.tokens, shape.width)
            engine.attention(
                Tensor(qkv, shape: [shape.images, shape.tokens, 3 * shape.width]), heads: shape.heads, into: y)
            let expected = Reference.attention(
                qkv, images: shape.images, tokens: shape.tokens, width: shape.width, heads: shape.heads)
            #expect(difference(y, expected) < 2e-6)
        }
    }

    @Test func leadingQueriesAlone() {
        for engine in engines {
            var numbers = Numbers(seed: 8)
            let (images, tokens, width, leading) = (2, 300, 16, 270)
            let qkv = numbers.values(images * tokens * 3 * width)
            let y = Tensor.unwritten(images, leading, width)
            engine.attention(Tensor(qkv, shape: [images, tokens, 3 * width]), heads: 2, into: y)
            let all = Reference.attention(qkv, images: images, tokens: tokens, width: width, heads: 2)
            let expected = (0..<images).flatMap { image in
                all[image * tokens * width..<(image * tokens + leading) * width]
            }
            #expect(difference(y, expected) < 2e-6)
        }
    }

    /// With heads of whole panels of weights (32 and 64 columns) and of others (24).
    @Test(
        arguments: [
            (1, 1, 64, 1, 1), (2, 37, 128, 2, 2), (3, 18, 96, 3, 1), (2, 5, 48, 2, 2), (1, 197, 64, 1, 3),
        ], [true, false])
    func fromTokens(shape: (images: Int, tokens: Int, width: Int, heads: Int, queries: Int), hasBias: Bool) {
        for engine in engines {
            var numbers = Numbers(seed: 10)
            let (images, tokens, width) = (shape.images, shape.tokens, shape.width)
            let x = numbers.values(images * tokens * width)
            let weight = numbers.values(3 * width * width).map { $0 / 4 }
            let bias = numbers.values(3 * width).map { hasBias ? $0 : 0 }
            let y = Tensor.unwritten(images, shape.queries, width)
            engine.leadingAttention(
                Tensor(x, shape: [images, tokens, width]), engine.pack(Tensor(weight, shape: [3 * width, width])),
                bias: hasBias ? Tensor(bias, shape: [3 * width]) : nil, heads: shape.heads,
                workspace: .unwritten(images, tokens, 3 * width), into: y)
            let qkv = Reference.linear(x, weight: weight, bias: bias, inputs: width)
            let all = Reference.attention(qkv, images: images, tokens: tokens, width: width, heads: shape.heads)
            let expected = (0..<images).flatMap { image in
                all[image * tokens * width..<(image * tokens + shape.queries) * width]
            }
            #expect(difference(y, expected) < 2e-6)
        }
    }

    /// Rows of weights as far apart as those of the output (9 tokens), and so many rows that values are packed (40).
    @Test(arguments: [(1, 1, 8, 2), (2, 5, 12, 3), (1, 9, 16, 2), (1, 14, 64, 2), (1, 40, 8, 1)])
    func backward(shape: (images: Int, tokens: Int, width: Int, heads: Int)) {
        for engine in engines {
            var numbers = Numbers(seed: 9)
            let qkv = numbers.values(shape.images * shape.tokens * 3 * shape.width).map { $0 * 2 }
            let dy = numbers.values(shape.images * shape.tokens * shape.width)
            let dqkv = Tensor.unwritten(shape.images, shape.tokens, 3 * shape.width)
            let y = Tensor.unwritten(shape.images, shape.tokens, shape.width)
            engine.attentionBackward(
                Tensor(dy, shape: [shape.images, shape.tokens, shape.width]),
                qkv: Tensor(qkv, shape: [shape.images, shape.tokens, 3 * shape.width]), heads: shape.heads, dqkv: dqkv,
                y: y)
            let result = Reference.attention(
                qkv, images: shape.images, tokens: shape.tokens, width: shape.width, heads: shape.heads)
            #expect(difference(y, result) < 2e-6)
            let expected = numericGradient(of: qkv, cotangent: dy) {
                Reference.attention(
                    $0, images: shape.images, tokens: shape.tokens, width: shape.width, heads: shape.heads)
            }
            #expect(difference(dqkv, expected) < 1e-5)
        }
    }
}
