import Models
import Testing

/// Two images of four patches, of which two stay.
@Suite struct PatchMaskTests {
    private let mask = PatchMask(noise: [0.3, 0.1, 0.4, 0.2, 0.5, 0.9, 0.6, 0.7], patchCount: 4, keptCount: 2)

    @Test func orderAndRemovedPatchesGoByNoise() {
        #expect(mask.order == [1, 3, 0, 2, 0, 2, 3, 1])
        #expect(mask.kept == [1, 3, 0, 2])
        #expect(mask.removedPatches == [0, 2, 3, 1])
    }

    @Test func placesAreThoseOfTokensWithRemovedPatchesFirst() {
        #expect(mask.places(prefix: 1) == [0, 3, 1, 4, 3, 1, 4, 0])
    }

    @Test func filledPutsNumbersOfRemovedPatchesInTheirPlaces() {
        #expect(mask.filled([1, 2, 3, 4], image: 0) == [1, 2, 0, 0, 3, 4, 0, 0])
        #expect(mask.filled([1, 2, 3, 4], image: 1) == [0, 0, 3, 4, 0, 0, 1, 2])
    }
}
