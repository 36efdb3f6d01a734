import SwiftViT
import Testing

struct PredictionTests {
    @Test func softmaxOfLargeLogitsStaysFinite() {
        let probabilities = Classification.softmax([1000, 999, -1000])
        #expect(abs(probabilities[0] - 0.7310586) < 1e-6)
        #expect(abs(probabilities[1] - 0.26894143) < 1e-6)
        #expect(probabilities[2] == 0)
    }

    @Test func theHighestComeFirstAndEqualOnesInOrder() {
        let values: [Float] = [1, 5, 3, 5, -2, 3]
        #expect(Classification.highest(1, of: values) == [1])
        #expect(Classification.highest(4, of: values) == [1, 3, 2, 5])
        #expect(Classification.highest(99, of: values) == [1, 3, 2, 5, 0, 4])
        #expect(Classification.highest(0, of: values).isEmpty)
        #expect(Classification.highest(3, of: []).isEmpty)
    }
}
