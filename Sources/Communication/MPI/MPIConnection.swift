import LibC
import Support

/// A pending request of the library.
struct MPIRequest {
    var handle: Int
}

/// The MPI functions, called from one thread.
struct MPIConnection {
    /// Tags keep messages of different kinds apart.
    enum Tag: Int32 { case data = 1, heartbeat, failure }

    let rank: Int
    let count: Int
    private let library: MPILibrary

    /// The most bytes of one MPI message, whose count is a 32-bit integer.
    private static let mostBytes = 1 << 30
    /// The exit code when another process is lost: EX_IOERR.
    static let lostCode: Int32 = 74

    init(_ launch: Launch) throws(CommunicationError) {
        library = try MPILibrary.load(for: launch)
        var (provided, rank, count) = (Int32(0), Int32(0), Int32(0))
        guard unsafe library.initialize(nil, nil, library.serializedThreads, &provided) == 0,
            library.setErrorHandler(library.world, library.errorsReturn) == 0,
            unsafe library.rank(library.world, &rank) == 0, unsafe library.size(library.world, &count) == 0
        else { throw CommunicationError("\(library.name): MPI cannot be initialized") }
        guard count == launch.count else {
            throw CommunicationError(
                "a launcher started \(launch.count) processes, but \(library.name) (\(library.interface.rawValue)) sees "
                    + "\(count): it is not the library of that launcher; name that one in \(Launch.libraryVariable), with srun also "
                    + "choose its kind (--mpi=pmix or --mpi=pmi2)")
        }
        (self.rank, self.count) = (Int(rank), Int(count))
    }

    /// Starts sending or receiving a message; large ones in parts.
    func start(_ message: Message, _ tag: Tag = .data) throws(CommunicationError) -> [MPIRequest] {
        var requests: [MPIRequest] = []
        var rest = unsafe message.bytes[...]
        while unsafe !rest.isEmpty {
            let part = unsafe UnsafeMutableRawBufferPointer(rebasing: rest.prefix(Self.mostBytes))
            let (address, size, peer) = (part.baseAddress, Int32(part.count), Int32(message.peer))
            var request = MPIRequest(handle: 0)
            let code =
                switch message.direction {
                case .send:
                    unsafe library.send(address, size, library.byte, peer, tag.rawValue, library.world, &request.handle)
                case .receive:
                    unsafe library.receive(
                        address, size, library.byte, peer, tag.rawValue, library.world, &request.handle)
                }
            try check(code, "a message to or from process \(message.peer)")
            requests.append(request)
            unsafe rest = rest.dropFirst(Self.mostBytes)
        }
        return requests
    }

    /// Whether a request is complete; also lets the library make progress.
    func isDone(_ request: inout MPIRequest) throws(CommunicationError) -> Bool {
        var done = Int32(0)
        let code = unsafe withStatus { status in unsafe library.test(&request.handle, &done, status) }
        try check(code, "a message")
        return done != 0
    }

    /// Cancels a request.
    func cancel(_ request: inout MPIRequest) {
        _ = unsafe library.cancel(&request.handle)
        _ = unsafe withStatus { status in unsafe library.wait(&request.handle, status) }
    }

    /// Disconnects, when all processes are about to.
    func finalize() {
        // MPICH over UCX hangs where a process answers another's end before it begins its own, as it would by asking for
        // messages now: the first to end no longer answers.
        usleep(100_000)
        _ = library.finalize()
    }

    /// Reports a sentence and ends all processes.
    func end(_ report: (String) -> Void, _ sentence: String, code: Int32) -> Never {
        if !sentence.isEmpty {
            report(sentence)
            // A launcher that is told to abort may drop what it has not passed on yet.
            usleep(300_000)
        }
        // Where the launcher hangs as well, this process ends by itself.
        Thread {
            sleep(10)
            _exit(code)
        }?.detach()
        _ = library.abort(library.world, code)
        _exit(code)
    }

    /// Prints a sentence and ends this process, when the library no longer works.
    static func end(_ report: (String) -> Void, _ sentence: String) -> Never {
        report(sentence)
        _exit(lostCode)
    }

    private func check(_ code: Int32, _ what: String) throws(CommunicationError) {
        guard code != 0 else { return }
        throw CommunicationError(
            "\(what) was lost (\(library.interface.rawValue)'s error \(code)): another process or the network is gone")
    }

    /// Calls `body` with memory for a status, which is never read.
    private func withStatus(_ body: (UnsafeMutableRawPointer) -> Int32) -> Int32 {
        var status = (0, 0, 0, 0, 0, 0, 0, 0)
        return unsafe withUnsafeMutableBytes(of: &status) { bytes in
            unsafe bytes.baseAddress.map { unsafe body($0) } ?? -1
        }
    }
}
