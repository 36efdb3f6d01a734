import Compute
import Datasets

/// Inputs that are prepared ahead on other threads and delivered in order, in groups.
///
/// Memory does not grow with the number of inputs.
struct PreparedInputs<Prepared: Sendable> {
    /// One input of a group.
    struct Item {
        /// Its index among all inputs.
        let index: Int
        /// The path as given or found.
        let path: String
        /// The prepared input, or why there is none.
        let result: Result<Prepared, InputError>
    }

    let inputs: [InputPaths.Input]
    /// Inputs per group; the last group may be smaller. Failures count, so that a run over nothing else still reports them.
    let groupSize: Int
    /// The number of threads that prepare; nil: as many as the process may use.
    let threads: Int?
    let prepare: @Sendable (InputPaths.Input) throws(InputError) -> Prepared

    /// Passes all groups to `body`. An error that it throws ends the run.
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
