import Support
import Testing

struct ChildProcessTests {
    @Test func inputOutputErrorsAndCode() throws {
        let process = try ChildProcess(
            "sh", ["-c", "cat; echo \"$X$HOME\" >&2; exit 3"], input: Array("text".utf8), hiding: ["HOME"])
        var output: [UInt8] = []
        while case let piece = try process.read(), !piece.isEmpty { output += piece }
        #expect(output == Array("text".utf8) && process.errorText() == "\n" && process.wait() == 3)
    }

    @Test func aProgramThatIsMissingIsSaid() {
        #expect(throws: SystemError.self) { try ChildProcess("no-such-program-anywhere", [], input: []) }
    }

    @Test func inputThatNobodyReadsIsNoFailure() throws {
        let process = try ChildProcess("true", [], input: [UInt8](repeating: 0, count: 1 << 20))
        #expect(try process.read().isEmpty && process.wait() == 0)
    }

    @Test func anAbandonedProcessEnds() throws {
        let clock = ContinuousClock()
        let time = try clock.measure { _ = try ChildProcess("sleep", ["60"], input: []) }
        #expect(time < .seconds(30))
    }
}
