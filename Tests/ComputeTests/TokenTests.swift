import Compute
import Testing

@Suite struct TokenTests {
    let engine = CPUEngine(threadCount: 2)

    @Test func patchRowsFollowTheOrderOfAConvolution() {
        let (images, channels, height, width, rows, columns) = (2, 3, 4, 6, 2, 3)
        let pixels = (0..<images * channels * height * width).map { Float($0) }
        let patches = Tensor.unwritten(images, 4, channels * rows * columns)
        engine.patchRows(
            Tensor(pixels, shape: [images, channels, height, width]), patchHeight: rows, patchWidth: columns,
            into: patches)
        var expected: [Float] = []
        for image in 0..<images {
            for (top, left) in [(0, 0), (0, 3), (2, 0), (2, 3)] {
                for channel in 0..<channels {
                    for row in 0..<rows {
                        for column in 0..<columns {
                            let line = (image * channels + channel) * height + top + row
                            expected.append(pixels[line * width + left + column])
                        }
                    }
                }
            }
        }
        #expect(patches.values == expected)
    }

    @Test func prefixSelectionAndMeans() {
        let tokens = Tensor((0..<24).map(Float.init), shape: [2, 4, 3])
        engine.setPrefix(Tensor([-1, -2, -3] as [Float], shape: [1, 3]), of: tokens)
        #expect(Array(tokens.values[0..<6]) == [-1, -2, -3, 3, 4, 5])
        #expect(Array(tokens.values[12..<18]) == [-1, -2, -3, 15, 16, 17])
        let one = Tensor.unwritten(2, 3)
        engine.selectToken(2, of: tokens, into: one)
        #expect(one.values == [6, 7, 8, 18, 19, 20])
        engine.meanTokens(from: 1, of: tokens, into: one)
        #expect(one.values == [6, 7, 8, 18, 19, 20])
        engine.average(one, Tensor([0, 0, 0, 2, 2, 2] as [Float], shape: [2, 3]), into: one)
        #expect(one.values == [3, 3.5, 4, 10, 10.5, 11])
    }

    @Test func gatherRowsFromOneOrFromMany() {
        let many = Tensor((0..<12).map(Float.init), shape: [2, 3, 2])
        let kept = Tensor.unwritten(2, 2, 2)
        engine.gatherRows(many, index: [2, 0, 1, 1], into: kept)
        #expect(kept.values == [4, 5, 0, 1, 8, 9, 8, 9])
        engine.gatherRows(Tensor((0..<6).map(Float.init), shape: [3, 2]), index: [2, 0, 1, 1], into: kept)
        #expect(kept.values == [4, 5, 0, 1, 2, 3, 2, 3])
    }

    /// Two images of three patches, of which the first named stays, behind a prefix of one.
    private static let order: [Int32] = [1, 0, 2, 2, 1, 0]

    private static func completed(_ visible: [Double], mask: [Double], positions: [Double]) -> [Double] {
        var result: [Double] = []
        for image in 0..<2 {
            let patches = order[image * 3..<image * 3 + 3].map { 1 + Int($0) }
            let visible = visible[image * 4..<image * 4 + 4]
            let rows = mask + mask + visible
            let places = [patches[1], patches[2], 0, patches[0]]
            for (row, place) in places.enumerated() {
                result += [rows[2 * row] + positions[2 * place], rows[2 * row + 1] + positions[2 * place + 1]]
            }
        }
        return result
    }

    @Test func completeTokensAndBack() {
        var numbers = Numbers(seed: 11)
        let (visible, mask, positions) = (numbers.values(8), numbers.values(2), numbers.values(8))
        let full = Tensor.unwritten(2, 4, 2)
        engine.completeTokens(
            Tensor(visible, shape: [2, 2, 2]), order: Self.order, maskToken: Tensor(mask, shape: [2]),
            positions: Tensor(positions, shape: [4, 2]), into: full)
        #expect(difference(full, Self.completed(visible, mask: mask, positions: positions)) < 1e-6)

        let dFull = numbers.values(16)
        let dVisible = Tensor.unwritten(2, 2, 2)
        let dMask = Tensor([0.25, 0.25] as [Float], shape: [2])
        engine.completeTokensBackward(Tensor(dFull, shape: [2, 4, 2]), dVisible: dVisible, dMaskToken: dMask)
        let wantedVisible = numericGradient(of: visible, cotangent: dFull) {
            Self.completed($0, mask: mask, positions: positions)
        }
        let wantedMask = numericGradient(of: mask, cotangent: dFull) {
            Self.completed(visible, mask: $0, positions: positions)
        }
        #expect(difference(dVisible, wantedVisible) < 1e-6)
        #expect(difference(dMask, wantedMask.map { $0 + 0.25 }) < 1e-6)
    }

    @Test func dropPrefixAndItsGradient() {
        let x = Tensor((0..<12).map(Float.init), shape: [2, 3, 2])
        let y = Tensor.unwritten(2, 2, 2)
        engine.dropPrefix(1, of: x, into: y)
        #expect(y.values == [2, 3, 4, 5, 8, 9, 10, 11])
        let dPrefix = Tensor([1, 1] as [Float], shape: [1, 2])
        engine.addPrefixGradient(x, dPrefix: dPrefix)
        #expect(dPrefix.values == [7, 9])
    }

    /// The mean over a patch of the squared error, and its weighted sum's gradient.
    @Test func patchLossAndItsGradient() {
        var numbers = Numbers(seed: 12)
        let (patches, length) = (5, 12)
        let (prediction, target) = (numbers.values(patches * length), numbers.values(patches * length))
        let weights = [0.5, 0, 0.25, 0, 1]
        func losses(_ prediction: [Double]) -> [Double] {
            (0..<patches).map { patch in
                var sum = 0.0
                for i in patch * length..<(patch + 1) * length {
                    let error = prediction[i] - target[i]
                    sum += error * error
                }
                return sum / Double(length)
            }
        }
        let got = Tensor.unwritten(1, patches)
        let gradient = Tensor.unwritten(1, patches, length)
        engine.patchLoss(
            Tensor(prediction, shape: [1, patches, length]), target: Tensor(target, shape: [1, patches, length]),
            index: nil, weights: Tensor(weights, shape: [1, patches]), losses: got, dPrediction: gradient)
        #expect(difference(got, losses(prediction)) < 1e-6)
        #expect(difference(gradient, numericGradient(of: prediction, cotangent: weights, losses)) < 1e-6)
    }

    @Test func patchLossOfSomePatches() {
        // Two images of three patches of one number, two of which are predicted.
        let targets = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3, 1])
        let (losses, gradient) = (Tensor.unwritten(2, 2), Tensor.unwritten(2, 2, 1))
        engine.patchLoss(
            Tensor([0, 0, 0, 0] as [Float], shape: [2, 2, 1]), target: targets, index: [2, 0, 1, 2],
            weights: Tensor([1, 1, 1, 1] as [Float], shape: [2, 2]), losses: losses, dPrediction: gradient)
        #expect(losses.values == [9, 1, 25, 36])
        #expect(gradient.values == [-6, -2, -10, -12])
    }

    @Test(arguments: [true, false])
    func pixelTargetsRunByRowColumnAndChannel(normalizes: Bool) {
        let (channels, height, width) = (2, 2, 4)
        var numbers = Numbers(seed: 13)
        let pixels = numbers.values(channels * height * width)
        let targets = Tensor.unwritten(1, 2, 8)
        engine.pixelTargets(
            Tensor(pixels, shape: [1, channels, height, width]), patchHeight: 2, patchWidth: 2, normalizes: normalizes,
            into: targets)
        var expected: [Double] = []
        for left in [0, 2] {
            var patch: [Double] = []
            for row in 0..<2 {
                for column in 0..<2 {
                    for channel in 0..<channels { patch.append(pixels[(channel * 2 + row) * 4 + left + column]) }
                }
            }
            if normalizes {
                let mean = patch.reduce(0, +) / 8
                let variance = patch.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 7
                patch = patch.map { ($0 - mean) / (variance + 1e-6).squareRoot() }
            }
            expected += patch
        }
        #expect(difference(targets, expected) < 1e-6)
    }
}
