import CKernels

/// The engines that a program can compute with.
package enum Engines {
    /// An engine of the kind that suits this machine, with `threads` threads; nil: as many as this process may use.
    ///
    /// Results do not depend on the number of threads.
    package static func make(threads: Int? = nil) -> any Engine { CPUEngine(threadCount: threads) }

    /// The number of cores that this process may use.
    package static var availableCores: Int { Int(vit_available_cores()) }
}
