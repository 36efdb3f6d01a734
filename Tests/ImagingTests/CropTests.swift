import Testing

import Imaging

@Suite struct CropTests {
    private let image = Image(width: 3, height: 2, channels: 1, pixels: [1, 2, 3, 4, 5, 6])

    @Test func aCropInside() {
        #expect(image.cropped(x: 1, y: 0, width: 2, height: 2).pixels == [2, 3, 5, 6])
        #expect(image.cropped(x: 0, y: 0, width: 3, height: 2) == image)
    }

    @Test func whatIsOutsideIsZero() {
        #expect(image.cropped(x: -1, y: 1, width: 3, height: 2).pixels == [0, 4, 5, 0, 0, 0])
        #expect(image.cropped(x: 2, y: -1, width: 2, height: 2).pixels == [0, 0, 3, 0])
        #expect(image.cropped(x: 7, y: 7, width: 2, height: 1).pixels == [0, 0])
    }

    @Test func halvesGoToTheEvenSideOrDown() {
        // Margins of 1, 3, 5 and 7 have their halves at 0.5, 1.5, 2.5 and 3.5.
        #expect([1, 3, 5, 7].map { start(.halfToEven, margin: $0) } == [0, 2, 2, 4])
        #expect([1, 3, 5, 7].map { start(.down, margin: $0) } == [0, 1, 2, 3])
        #expect([0, 2, 4].map { start(.halfToEven, margin: $0) } == [0, 1, 2])
    }

    private func start(_ rounding: CropRounding, margin: Int) -> Int {
        rounding.window(ofWidth: 4, height: 4, in: (4 + margin, 4 + margin)).x
    }

    @Test func theOddRowOfABorderIsAtTheBottomRight() {
        #expect(image.centerCropped(width: 4, height: 3).pixels == [1, 2, 3, 0, 4, 5, 6, 0, 0, 0, 0, 0])
        #expect(image.centerCropped(width: 1, height: 4).pixels == [0, 2, 5, 0])
    }

    @Test func aFlipExchangesLeftAndRight() {
        #expect(image.flippedHorizontally().pixels == [3, 2, 1, 6, 5, 4])
        let colour = Image(width: 2, height: 1, channels: 3, pixels: [1, 2, 3, 4, 5, 6])
        #expect(colour.flippedHorizontally().pixels == [4, 5, 6, 1, 2, 3])
    }
}
