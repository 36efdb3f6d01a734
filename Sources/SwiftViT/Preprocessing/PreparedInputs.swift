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
        var groups = Groups(self)
        while let group = groups.next() { try body(group) }
    }

    /// The groups one after another; preparing begins at once.
    struct Groups: IteratorProtocol {
        private let inputs: [InputPaths.Input]
        private let size: Int
        private let prefetcher: OrderedPrefetcher<Result<Prepared, InputError>>
        private var index = 0

        init(_ prepared: PreparedInputs) {
            let (inputs, prepare) = (prepared.inputs, prepared.prepare)
            self.inputs = inputs
            size = min(prepared.groupSize, max(1, inputs.count))
            prefetcher = OrderedPrefetcher(
                count: inputs.count, threads: prepared.threads ?? Engines.availableCores, lookAhead: 2 * size + 2
            ) { index in
                Result { () throws(InputError) in try prepare(inputs[index]) }
            }
        }

        mutating func next() -> [Item]? {
            var group: [Item] = []
            group.reserveCapacity(size)
            while group.count < size, let result = prefetcher.next() {
                group.append(Item(index: index, path: inputs[index].path, result: result))
                index += 1
            }
            return group.isEmpty ? nil : group
        }
    }
}
