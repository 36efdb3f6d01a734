import Testing

import Training

@Suite struct LearningRateScheduleTests {
    @Test func risesStraightThenFallsAsHalfACosine() {
        let schedule = LearningRateSchedule(peak: 0.8, minimum: 0.2, warmupSteps: 4, totalSteps: 12)
        let expected = [
            0: 0.0, 1: 0.2, 2: 0.4, 3: 0.6, 4: 0.8,
            // 0.2 + 0.6 · (1 + cos(π/4)) / 2, the middle, and a step before the end.
            6: 0.712_132_034_355_964, 8: 0.5, 11: 0.222_836_140_246_614_1, 12: 0.2, 20: 0.2,
        ]
        for (step, rate) in expected { #expect(abs(schedule.rate(at: step) - rate) < 1e-14, "step \(step)") }
    }

    @Test func withoutWarmUpBeginsAtThePeak() {
        let schedule = LearningRateSchedule(peak: 1, warmupSteps: 0, totalSteps: 10)
        #expect(schedule.rate(at: 0) == 1)
        #expect(abs(schedule.rate(at: 5) - 0.5) < 1e-15)
    }

    @Test func warmUpAsLongAsTheRunNeverFalls() {
        let schedule = LearningRateSchedule(peak: 1, warmupSteps: 10, totalSteps: 10)
        #expect(schedule.rate(at: 9) == 0.9)
        #expect(schedule.rate(at: 10) == 1)
    }

    @Test func baseRateIsForABatchOf256() {
        #expect(LearningRateSchedule.scaled(base: 1.5e-4, effectiveBatch: 4096) == 2.4e-3)
    }

    /// The paper's rate at its batch, and the square root elsewhere.
    @Test func rateOfMaskedAutoencodingFollowsTheSquareRoot() {
        #expect(LearningRateSchedule.maskedAutoencoding(effectiveBatch: 4096) == 2.4e-3)
        #expect(abs(LearningRateSchedule.maskedAutoencoding(effectiveBatch: 64) - 3e-4) < 1e-12)
    }
}
