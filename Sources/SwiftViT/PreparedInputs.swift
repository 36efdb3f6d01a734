import Compute
import Datasets

/// Inputs on their way to a model: prepared ahead on other threads, handed over in their order and in groups.
///
/// The memory in use does not grow with the number of inputs.
struct PreparedInputs<Prepared: Sendable> {
    /// One input of a group.
    struct Item {
        /// Its place among all inputs.
        let index: Int
        /// The path as it was given or found.
        let path: String
        /// What it was made into, or why it gives nothing.
        let result: Result<Prepared, InputError>
    }

    let inputs: [InputPaths.Input]
    /// Inputs that are handed over at once; the last group may be smaller. Failures count too, so that a run over
    /// nothing else still reports them.
    let groupSize: Int
    /// Threads that prepare; nil: as many as the process may use.
    let threads: Int?
    let prepare: @Sendable (InputPaths.Input) throws(InputError) -> Prepared

    /// Hands all groups over. What `body` throws ends the run.
    func forEachGroup(_ body: ([Item]) throws -> Void) throws {
        guard !inputs.isEmpty else { return }
        let size = min(groupSize, inputs.count)
        let (inputs, prepare) = (inputs, prepare)
        let prefetcher = OrderedPrefetcher(
            count: inputs.count, threads: threads ?? Engines.availableCores, lookAhead: 2 * size + 2
        ) { index in
            Result { () throws(InputError) in try prepare(inputs[index]) }
        }
        var group: [Item] = []
        group.reserveCapacity(size)
        for (index, result) in prefetcher.enumerated() {
            group.append(Item(index: index, path: inputs[index].path, result: result))
            if group.count == size || index == inputs.count - 1 {
                try body(group)
                group.removeAll(keepingCapacity: true)
            }
        }
    }
}
