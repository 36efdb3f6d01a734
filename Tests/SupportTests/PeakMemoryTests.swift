import Support
import Testing

@Test func peakMemoryCoversWhatWasTouched() {
    let size = 64 << 20
    let bytes = [UInt8](repeating: 1, count: size)
    #expect(PeakMemory.bytes > size && bytes.last == 1)
}
