import Models
import Testing

/// Scores are those of scikit-learn; tools/fixtures_metrics.py wrote them.
@Suite struct ClassificationScoresTests {
    private func scores(_ goldens: Goldens) throws -> ClassificationScores {
        let (logits, labels) = (try goldens["logits"], try goldens["labels"].values)
        var scores = ClassificationScores(classCount: logits.shape[1])
        for (row, label) in labels.enumerated() {
            scores.add(logits: logits.rows(row..<row + 1).values, label: Int(label))
        }
        return scores
    }

    /// The values are those of torch's binary_cross_entropy_with_logits and sigmoid.
    @Test func sigmoidHasTheBinaryLoss() {
        var scores = ClassificationScores(classCount: 3, activation: .sigmoid)
        scores.add(logits: [2, -1, 0.5], label: 0)
        #expect(abs(scores.loss - (0.126928 + 0.313262 + 0.974077) / 3) < 1e-6)
        #expect(abs(scores.calibrationError - (1 - 0.880797)) < 1e-6 && scores.top1 == 1)
        scores.add(logits: [-1000, 1000, 0], label: 1)
        #expect(scores.loss.isFinite)
    }

    @Test func scoresAreThoseOfScikitLearn() throws {
        let goldens = try Goldens("metrics")
        let scores = try scores(goldens)
        let expected: [(String, [Double])] = [
            ("top1", [scores.top1]), ("top5", [scores.top5]), ("loss", [scores.loss]),
            ("calibration_error", [scores.calibrationError]), ("balanced_accuracy", [scores.balancedAccuracy]),
            ("macro_f1", [scores.macroF1]), ("precision", scores.classes.map(\.precision)),
            ("recall", scores.classes.map(\.recall)), ("f1", scores.classes.map(\.f1)),
            ("count", scores.classes.map { Double($0.count) }),
            ("confusion", scores.confusionMatrix.flatMap { $0.map(Double.init) }),
        ]
        for (name, values) in expected {
            #expect(try largestDifference(values.map(Float.init), goldens[name].values) < 1e-6, "\(name)")
        }
        #expect(scores.classes[7].count == 0 && scores.classes[8].answerCount == 0)
        #expect(scores.pairs.reduce(0) { $0 + $1.count } == scores.count)
    }

    @Test func ofEqualLogitsTheFirstIsHigher() {
        var scores = ClassificationScores(classCount: 7)
        for label in 0..<7 { scores.add(logits: [Float](repeating: 1, count: 7), label: label) }
        #expect(scores.correctCount == 1)
        #expect(scores.top5 == 5.0 / 7)
        // Always sure by a seventh, always the first class, and right once in seven.
        #expect(abs(scores.calibrationError) < 1e-12)
    }

    @Test func aSureAndRightAnswerCostsNothing() {
        var scores = ClassificationScores(classCount: 2)
        scores.add(logits: [1e4, -1e4], label: 0)
        #expect(scores.loss == 0 && scores.top1 == 1 && scores.calibrationError == 0)
    }

    @Test func whatIsNoNumberIsWrong() {
        var scores = ClassificationScores(classCount: 6)
        for label in 0..<6 { scores.add(logits: [Float](repeating: .nan, count: 6), label: label) }
        #expect(scores.count == 6 && scores.top1 == 0 && scores.top5 == 0 && scores.loss.isNaN)
    }

    @Test func ofNothingEverythingIsZero() {
        let scores = ClassificationScores(classCount: 3)
        #expect(scores.top1 == 0 && scores.loss == 0 && scores.calibrationError == 0 && scores.balancedAccuracy == 0)
    }
}
