import Testing

@testable import Compute

@Suite struct InstructionSetTests {
    @Test func portableOneRunsEverywhere() throws {
        #expect(InstructionSet.supported.last == .portable)
        #expect(try InstructionSet.named("portable") == .portable)
    }

    @Test(arguments: ["", "AVX2", "sse5"])
    func unknownNamesAreRefused(name: String) throws {
        let error = #expect(throws: InstructionSetError.self) { try InstructionSet.named(name) }
        #expect(error?.description.contains("\"\(name)\"") == true)
        #expect(error?.description.hasSuffix("portable") == true)
    }

    @Test(arguments: InstructionSet.supported)
    func engineReportsIt(set: InstructionSet) {
        let names: [InstructionSet: [String]] = [
            .avx512BF16: ["AVX-512 with BF16"], .avx512VNNI: ["AVX-512 with VNNI"], .avx512: ["AVX-512"],
            .avxVNNI: ["AVX2 with VNNI"], .avx2: ["AVX2"], .portable: ["SSE2", "NEON", "portable"],
        ]
        #expect(names[set]?.contains(CPUEngine(threadCount: 1, instructionSet: set).instructionSet) == true)
    }
}
