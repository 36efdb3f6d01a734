import SwiftViT

/// What `vit --version` prints.
enum Version {
    static let number = "0.2.0"

    /// The version, the engine and the instruction set that it uses on this processor.
    static var text: String {
        let engine = Engines.make(threads: 1)
        return "vit \(number)\n\(engine.name) engine, \(engine.instructionSet)"
    }
}
