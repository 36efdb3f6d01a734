import LibC
import Support

/// A reader of files under libFuzzer: it may refuse any bytes, and must not trap, run out of memory or take long.
struct Target: Sendable {
    let name: String
    /// Writes what the files of every input lie beside.
    var prepare: @Sendable () -> Void = {}
    let read: @Sendable (_ bytes: [UInt8]) -> Void

    static var all: [Target] { [.png, .jpeg, .safetensors, .torch, .numPy, .configuration, .tables, .run, .archive] }
}

/// The target that the program is called by the name of; `tools/fuzz-targets` makes a link for each.
private let target: Target = {
    let name = Files.name(of: CommandLine.arguments.first ?? "")
    guard let target = Target.all.first(where: { $0.name == name }) else {
        fatalError("\(name) is none of the targets \(Target.all.map(\.name).joined(separator: ", "))")
    }
    return target
}()

/// Ends the process where two ways to read the same bytes differ, which libFuzzer notes as a finding.
func check(_ isRight: Bool, _ claim: @autoclosure () -> String) {
    if !isRight { fatalError("it is not so that \(claim())") }
}

/// Calls `body` and gives nil where it refuses.
func attempt<Result>(_ body: () throws -> Result) -> Result? { try? body() }

/// libFuzzer calls it once, before the first input.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> Int32 {
    target.prepare()
    return 0
}

/// libFuzzer calls it with every input.
@_cdecl("LLVMFuzzerTestOneInput")
public func test(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    target.read(unsafe Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
}
