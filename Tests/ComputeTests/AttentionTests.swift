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

    @Test(arguments: [(1, 1, 8, 2), (2, 5, 12, 3), (1, 9, 16, 2), (1, 14, 64, 2)])
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
