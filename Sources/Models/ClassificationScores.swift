import LibC

/// The accuracy of a classifier, gathered image by image.
///
/// Rates of nothing (the precision of a class that was never answered, say) are 0, as in scikit-learn.
public struct ClassificationScores: Sendable {
    /// The number of classes.
    public let classCount: Int
    private let activation: HeadActivation
    /// The number of images so far.
    public private(set) var count = 0
    private var best = 0
    private var amongFive = 0
    private var lossSum = 0.0
    private var confusions: [Confusion: Int] = [:]
    private var bins = [Bin](repeating: Bin(), count: binCount)

    /// The number of bins of the calibration error.
    public static let binCount = 15

    /// A true class and the answer.
    public struct Confusion: Sendable, Hashable {
        /// The class of the image.
        public let truth: Int
        /// The most probable class.
        public let answer: Int
    }

    /// How well one class is found.
    public struct ClassScore: Sendable, Hashable {
        /// The images of the class.
        public let count: Int
        /// The images that were predicted to be of it.
        public let answerCount: Int
        /// The images of the class that were predicted to be of it.
        public let correctCount: Int

        /// The part of the answers that is right.
        public var precision: Double { rate(correctCount, of: answerCount) }
        /// The part of the class's images that is found.
        public var recall: Double { rate(correctCount, of: count) }
        /// The harmonic mean of the two.
        public var f1: Double { rate(2 * correctCount, of: count + answerCount) }
    }

    /// Images that were classified with about the same confidence.
    private struct Bin: Sendable {
        var count = 0
        var correctCount = 0
        var confidence = 0.0
    }

    /// Nothing gathered yet.
    ///
    /// - Parameter activation: what makes probabilities of the logits: softmax, or sigmoid.
    public init(classCount: Int, activation: HeadActivation = .softmax) {
        precondition(classCount > 0, "ClassificationScores: expected at least one class, got \(classCount)")
        self.classCount = classCount
        self.activation = activation
    }

    /// Adds a image of class `label`, which got these logits, one a class; of equal ones the first counts as higher,
    /// and one that is no number as right for nobody.
    public mutating func add(logits: [Float], label: Int) {
        precondition(
            logits.count == classCount && (0..<classCount).contains(label),
            "ClassificationScores: got \(logits.count) logits and the label \(label) for \(classCount) classes")
        var (largest, rank) = (0, 0)
        for index in logits.indices {
            if logits[index] > logits[largest] { largest = index }
            let isLower =
                logits[index] < logits[label] || (index > label && logits[index] == logits[label])
            if index != label && !isLower { rank += 1 }
        }
        count += 1
        if rank == 0 { best += 1 }
        if rank < 5 { amongFive += 1 }
        let top = Double(logits[largest])
        let confidence: Double
        if activation == .sigmoid {
            // log(1 + exp(x)), where nothing overflows.
            let sum = logits.reduce(0) { $0 + max(Double($1), 0) + log1p(exp(-Double($1.magnitude))) }
            lossSum += (sum - Double(logits[label])) / Double(classCount)
            confidence = 1 / (1 + exp(-top))
        } else {
            let sum = logits.reduce(0) { $0 + exp(Double($1) - top) }
            lossSum += log(sum) + top - Double(logits[label])
            confidence = 1 / sum
        }
        confusions[Confusion(truth: label, answer: largest), default: 0] += 1
        addToBin(confidence: confidence, isCorrect: rank == 0)
    }

    private mutating func addToBin(confidence: Double, isCorrect: Bool) {
        // A bin holds what is above its lower bound, up to its upper one.
        let place = (confidence * Double(Self.binCount)).rounded(.up)
        let bin = place >= 1 ? min(Self.binCount, Int(place)) - 1 : 0
        bins[bin].count += 1
        bins[bin].confidence += confidence
        if isCorrect { bins[bin].correctCount += 1 }
    }

    /// How many images' most probable class is right.
    public var correctCount: Int { best }

    /// The part of the images whose most probable class is right.
    public var top1: Double { rate(best, of: count) }

    /// The part of the images whose class is among the five most probable.
    public var top5: Double { rate(amongFive, of: count) }

    /// Where the accuracy of all such images lies, with 95 % confidence: Wilson's interval (1927) of the binomial rate.
    public var top1Interval: ClosedRange<Double> { Self.interval(best, of: count) }

    /// The same of the rate that `part` of `whole` estimates; 0 to 1 where there is nothing.
    public static func interval(_ part: Int, of whole: Int) -> ClosedRange<Double> {
        guard whole > 0 else { return 0...1 }
        let (deviations, count) = (1.959963984540054, Double(whole))
        let (share, square) = (Double(part) / count, deviations * deviations)
        let middle = (share + square / (2 * count)) / (1 + square / count)
        let spread = share * (1 - share) / count + square / (4 * count * count)
        let half = deviations * spread.squareRoot() / (1 + square / count)
        return max(0, middle - half)...min(1, middle + half)
    }

    /// The mean cross-entropy; with sigmoid, the binary one, on the mean over the classes.
    public var loss: Double { count == 0 ? 0 : lossSum / Double(count) }

    /// How far confidence and accuracy are apart, on the mean over the images: the expected calibration error with 15
    /// bins of equal width (Guo et al. 2017, equation 3).
    public var calibrationError: Double {
        let gaps = bins.reduce(0) { $0 + abs(Double($1.correctCount) - $1.confidence) }
        return count == 0 ? 0 : gaps / Double(count)
    }

    /// How often each pair of truth and answer came, the true classes in order and in each the answers.
    public var pairs: [(confusion: Confusion, count: Int)] {
        confusions.map { ($0.key, $0.value) }.sorted {
            ($0.0.truth, $0.0.answer) < ($1.0.truth, $1.0.answer)
        }
    }

    /// A row for each true class, a column for each answer: (classes, classes).
    public var confusionMatrix: [[Int]] {
        var rows = [[Int]](repeating: [Int](repeating: 0, count: classCount), count: classCount)
        for (confusion, count) in confusions { rows[confusion.truth][confusion.answer] = count }
        return rows
    }

    /// How well each class is found.
    public var classes: [ClassScore] {
        var (counts, answers, correct) = (
            [Int](repeating: 0, count: classCount), [Int](repeating: 0, count: classCount),
            [Int](repeating: 0, count: classCount)
        )
        for (confusion, count) in confusions {
            counts[confusion.truth] += count
            answers[confusion.answer] += count
            if confusion.truth == confusion.answer { correct[confusion.truth] = count }
        }
        return (0..<classCount).map {
            ClassScore(count: counts[$0], answerCount: answers[$0], correctCount: correct[$0])
        }
    }

    /// The mean recall of the classes that have images: the accuracy if all had equally many.
    public var balancedAccuracy: Double {
        let present = classes.filter { $0.count > 0 }
        return present.reduce(0) { $0 + $1.recall } / Double(max(1, present.count))
    }

    /// The mean F1 of the classes that have images or were answered.
    public var macroF1: Double {
        let known = classes.filter { $0.count + $0.answerCount > 0 }
        return known.reduce(0) { $0 + $1.f1 } / Double(max(1, known.count))
    }
}

/// `part` of `whole`; 0 of nothing.
private func rate(_ part: Int, of whole: Int) -> Double { whole == 0 ? 0 : Double(part) / Double(whole) }
