import Communication
import Datasets
import Randomness
import Support

/// Inputs divided among processes batch by batch; process 0 receives the results in order.
///
/// Memory does not grow with the number of inputs: a process that is ahead waits for process 0.
struct SharedInputs<Output> {
    let inputs: [InputPaths.Input]
    /// Inputs of a batch.
    let batchSize: Int
    let communicator: any Communicator
    /// Writes and reads a result on its way to process 0.
    let pack: (Output, inout PackedMessage) -> Void
    let unpack: (inout PackedMessage) -> Output

    /// The most batches of results that wait to be sent.
    private static var lookAhead: Int { 4 }

    typealias Results = [Result<Output, InputError>]

    /// The inputs of this process, which `nextBatch` goes through.
    var own: [InputPaths.Input] {
        if communicator.isAlone { return inputs }
        return stride(from: communicator.rank * batchSize, to: inputs.count, by: communicator.count * batchSize)
            .flatMap { inputs[$0..<min($0 + batchSize, inputs.count)] }
    }

    /// Computes the results of all inputs.
    ///
    /// - Parameters:
    ///   - nextBatch: computes those of the next batch of `own`; nil after the last.
    ///   - body: receives every result in the order of the inputs; in process 0 alone. An error that it throws ends the run.
    func run(
        nextBatch: () throws -> Results?,
        _ body: (_ path: String, _ result: Result<Output, InputError>) throws -> Void
    ) throws {
        guard !inputs.isEmpty else { return }
        if communicator.isAlone {
            var next = 0
            while let results = try nextBatch() { try deliver(results, from: &next, to: body) }
            return
        }
        try checkAgreement()
        guard communicator.isFirst else {
            let sender = OrderedSender(communicator, capacity: Self.lookAhead)
            while let results = try nextBatch() { sender.send(packed(results)) }
            return sender.finish()
        }
        try gather(nextBatch, body)
    }

    private func gather(
        _ nextBatch: () throws -> Results?, _ body: (String, Result<Output, InputError>) throws -> Void
    ) throws {
        let (communicator, others) = (communicator, communicator.count - 1)
        let batchCount = (inputs.count + batchSize - 1) / batchSize
        let received = OrderedPrefetcher(
            count: batchCount - (batchCount + others) / (others + 1), threads: 1, lookAhead: others
        ) { number in communicator.receive(from: number % others + 1) }
        var next = 0
        while let results = try nextBatch() {
            try deliver(results, from: &next, to: body)
            // Those between this batch and the next one of this process.
            for _ in 0..<others {
                if let bytes = received.next() { try deliver(unpacked(bytes), from: &next, to: body) }
            }
        }
    }

    private func deliver(
        _ results: Results, from next: inout Int, to body: (String, Result<Output, InputError>) throws -> Void
    ) throws {
        for result in results {
            let path = inputs[next].path
            next += 1
            try body(path, result)
        }
    }

    /// All processes must have found the same inputs.
    private func checkAgreement() throws(InputError) {
        var digest = StableHash()
        for input in inputs {
            digest.combine(input.path.utf8)
            digest.combine([0])
        }
        let all = communicator.gather(littleEndian(digest.value))
        guard let rank = all.indices.first(where: { all[$0] != all[0] }) else { return }
        throw InputError.malformed(
            inputs[0].path, "process \(rank) has other inputs than process 0; expected the same files on every machine")
    }

    private func packed(_ results: Results) -> [UInt8] {
        var message = PackedMessage()
        message.append(results.count)
        for result in results {
            switch result {
            case .success(let output):
                message.append(1)
                pack(output, &message)
            case .failure(let error):
                message.append(0)
                error.pack(&message)
            }
        }
        return message.bytes
    }

    private func unpacked(_ bytes: [UInt8]) -> Results {
        var message = PackedMessage(bytes)
        return (0..<message.integer()).map { _ in
            message.integer() == 1 ? .success(unpack(&message)) : .failure(InputError(&message))
        }
    }
}

extension InputError {
    private static let kinds: [Kind] = [.usage, .malformed, .noSuchInput, .noImages, .unreadable]

    fileprivate func pack(_ message: inout PackedMessage) {
        message.append(Self.kinds.firstIndex(of: kind) ?? 1)
        message.append(path)
        message.append(description)
    }

    fileprivate init(_ message: inout PackedMessage) {
        let kind = Self.kinds[message.integer()]
        let path = message.text()
        self.init(kind, path: path, description: message.text())
    }
}

/// Sends results to process 0 on its own thread, while the next batch is computed.
private final class OrderedSender {
    private struct State {
        var waiting: [[UInt8]] = []
        /// Including the one being sent.
        var unsent = 0
        var isClosed = false
    }

    private let state: Monitor<State>
    private let communicator: any Communicator
    private let capacity: Int
    private let thread: Thread?

    init(_ communicator: any Communicator, capacity: Int) {
        let state = Monitor(State())
        (self.state, self.communicator, self.capacity) = (state, communicator, capacity)
        thread = Thread {
            while true {
                let next: [UInt8]?? = state.wait { state in
                    if !state.waiting.isEmpty { return .some(state.waiting.removeFirst()) }
                    return state.isClosed ? .some(nil) : nil
                }
                guard let bytes = next ?? nil else { return }
                communicator.send(bytes, to: 0)
                state.update { $0.unsent -= 1 }
            }
        }
    }

    func send(_ bytes: [UInt8]) {
        if thread == nil { return communicator.send(bytes, to: 0) }
        let capacity = capacity
        state.wait { state -> Void? in
            guard state.unsent < capacity else { return nil }
            state.unsent += 1
            state.waiting.append(bytes)
            return ()
        }
    }

    func finish() {
        state.update { $0.isClosed = true }
        thread?.join()
    }
}
