import LibC

/// Signs of life between process 0 and the others, and the news that one of them cannot go on.
struct MPIVigil {
    /// The seconds after which a process without a sign of life counts as lost.
    static let patience = 30
    /// The seconds between two signs.
    private static let interval = 2.0

    private let connection: MPIConnection
    private var peers: [Peer]
    private var nextSign = 0.0
    private var lastLook = MPIVigil.now
    private var told: [MPIRequest] = []
    /// What process 0 is told.
    private let message: MPIBytes

    private struct Peer {
        let rank: Int
        var lastSign = MPIVigil.now
        /// Its next sign of life, and this process's last one to it.
        let received = MPIBytes(count: 1)
        let sent = MPIBytes(count: 1)
        var receiving: [MPIRequest] = []
        var sending: [MPIRequest] = []
        /// The news of its failure, which only process 0 waits for.
        let news = MPIBytes(count: MPIFailure.byteCount)
        var waiting: [MPIRequest] = []
    }

    init(_ connection: MPIConnection) throws(CommunicationError) {
        self.connection = connection
        message = MPIBytes(count: MPIFailure.byteCount)
        peers = (connection.rank == 0 ? Array(1..<connection.count) : [0]).map { Peer(rank: $0) }
        for index in peers.indices {
            try listen(to: index)
            guard connection.rank == 0 else { continue }
            peers[index].waiting = try unsafe connection.start(
                .receive(peers[index].news.buffer, from: peers[index].rank), .failure)
        }
    }

    private mutating func listen(to index: Int) throws(CommunicationError) {
        peers[index].receiving = try unsafe connection.start(
            .receive(peers[index].received.buffer, from: peers[index].rank), .lifeSign)
    }

    /// Sends a sign of life where one is due, and takes those of others.
    mutating func keep() throws(CommunicationError) {
        let now = Self.now
        // If this process itself was stopped, the others may have been as well, and must not be blamed for it.
        if now - lastLook > Self.interval * 2 { for index in peers.indices { peers[index].lastSign = now } }
        lastLook = now
        for index in peers.indices where try isDone(&peers[index].receiving) {
            peers[index].lastSign = now
            try listen(to: index)
        }
        if now < nextSign { return }
        nextSign = now + Self.interval
        for index in peers.indices where try isDone(&peers[index].sending) {
            peers[index].sending = try unsafe connection.start(
                .send(UnsafeRawBufferPointer(peers[index].sent.buffer), to: peers[index].rank), .lifeSign)
        }
    }

    /// The first process that has been silent for too long.
    var silentProcess: Int? { peers.first { lastLook - $0.lastSign > Double(Self.patience) }?.rank }

    /// Tells process 0 that this one cannot go on.
    mutating func tell(_ failure: MPIFailure) throws(CommunicationError) {
        unsafe message.buffer.copyBytes(from: failure.bytes)
        told = try unsafe connection.start(.send(UnsafeRawBufferPointer(message.buffer), to: 0), .failure)
    }

    /// Whether it knows.
    var isTold: Bool {
        mutating get { (try? isDone(&told)) ?? true }
    }

    /// What another process told; process 0 alone learns it.
    mutating func othersFailure() throws(CommunicationError) -> (rank: Int, failure: MPIFailure)? {
        guard connection.rank == 0 else { return nil }
        for index in peers.indices where try isDone(&peers[index].waiting) {
            return unsafe (peers[index].rank, MPIFailure(Array(peers[index].news.buffer)))
        }
        return nil
    }

    /// Stops to listen.
    mutating func end() throws(CommunicationError) {
        for index in peers.indices {
            for var request in peers[index].receiving + peers[index].waiting { connection.cancel(&request) }
            for var request in peers[index].sending { _ = try connection.isDone(&request) }
        }
    }

    /// Whether all requests are done, which are forgotten then.
    private func isDone(_ requests: inout [MPIRequest]) throws(CommunicationError) -> Bool {
        for index in requests.indices where try !connection.isDone(&requests[index]) { return false }
        requests = []
        return true
    }

    private static var now: Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

/// Bytes that stay where they are while a message is under way.
@safe final class MPIBytes {
    let buffer: UnsafeMutableRawBufferPointer

    init(count: Int) {
        unsafe buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
        unsafe buffer.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit { unsafe buffer.deallocate() }
}
