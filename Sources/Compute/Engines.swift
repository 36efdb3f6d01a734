import CKernels

/// The registry of engines: a further kind of hardware is a folder beside `CPU` and an entry here.
package enum Engines {
    /// A kind of engine that this machine can run.
    package struct Kind: Sendable {
        /// Its name, for people.
        package let name: String
        /// Makes one with so many threads; nil: as many as this process may use.
        package let make: @Sendable (_ threads: Int?) -> any Engine
    }

    /// Every kind that this machine can run, the fastest first: the processor with each of its instruction sets.
    package static var all: [Kind] {
        InstructionSet.supported.map { set in
            Kind(name: "CPU, \(set.displayName)") { CPUEngine(threadCount: $0, instructionSet: set) }
        }
    }

    /// The fastest engine of this machine, with `threads` threads; nil: as many as this process may use.
    ///
    /// Results do not depend on the number of threads. `VIT_INSTRUCTION_SET` selects the instruction set of matrix
    /// products; what this processor lacks is ignored here and refused by `checkEnvironment`.
    package static func make(threads: Int? = nil) -> any Engine {
        CPUEngine(threadCount: threads, instructionSet: try? InstructionSet.selected())
    }

    /// Throws where an environment variable asks for an engine that this machine cannot run.
    package static func checkEnvironment() throws(InstructionSetError) { _ = try InstructionSet.selected() }

    /// The bytes that a weight of a layer takes in the memory of the engine that `make` makes.
    package static func bytesPerWeight(_ precision: Precision) -> Int {
        GemmKernel((try? InstructionSet.selected()) ?? .fastest, precision).bytesPerWeight
    }

    /// The number of cores that this process may use.
    package static var availableCores: Int { Int(vit_available_cores()) }
}

extension Engine {
    /// A sentence where an engine made for so many threads got fewer of the system; nil: as many as this process may use.
    package func shortage(of threads: Int?) -> String? {
        let count = threads ?? Engines.availableCores
        return threadCount < count ? "Using \(threadCount) of \(count) threads: the system allows no more." : nil
    }
}
