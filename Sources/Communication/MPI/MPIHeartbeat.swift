import LibC

/// Heartbeats between process 0 and the others, and reports of a process that cannot go on.
struct MPIHeartbeat {
    /// A process that sends no heartbeat for this many seconds counts as lost.
    static let patience = 30
    /// Seconds between heartbeats.
    private static let interval = 2.0

    private let connection: MPIConnection
    private var peers: [Peer]
    private var nextBeat = 0.0
    private var lastLook = MPIHeartbeat.now
    private var told: [MPIRequest] = []
    /// The failure that is sent to process 0.
    private let message: MPIBytes

    private struct Peer {
        let rank: Int
        var lastHeard = MPIHeartbeat.now
        /// Whether its last heartbeat has come, and whether this process's own is on its way.
        var hasLeft = false
        var hasSaidLast = false
        /// Buffers of heartbeats received from it and sent to it: 1 in the last one, else 0.
        let received = MPIBytes(count: 1)
        let sent = MPIBytes(count: 1)
        var receiving: [MPIRequest] = []
        var sending: [MPIRequest] = []
        /// Buffer of its failure, which only process 0 receives.
        let failure = MPIBytes(count: MPIFailure.byteCount)
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
                .receive(peers[index].failure.buffer, from: peers[index].rank), .failure)
        }
    }

    private mutating func listen(to index: Int) throws(CommunicationError) {
        peers[index].receiving = try unsafe connection.start(
            .receive(peers[index].received.buffer, from: peers[index].rank), .heartbeat)
    }

    /// Sends a heartbeat if one is due, and notes those received.
    mutating func keep() throws(CommunicationError) {
        let now = Self.now
        // If this process itself was stopped, the others may have been as well, and must not be blamed for it.
        if now - lastLook > Self.interval * 2 { for index in peers.indices { peers[index].lastHeard = now } }
        lastLook = now
        for index in peers.indices where !peers[index].hasLeft {
            guard try isDone(&peers[index].receiving) else { continue }
            peers[index].lastHeard = now
            peers[index].hasLeft = unsafe peers[index].received.buffer[0] == 1
            if !peers[index].hasLeft { try listen(to: index) }
        }
        if now < nextBeat { return }
        nextBeat = now + Self.interval
        for index in peers.indices where !peers[index].hasSaidLast {
            if try isDone(&peers[index].sending) { try beat(to: index) }
        }
    }

    private mutating func beat(to index: Int) throws(CommunicationError) {
        peers[index].sending = try unsafe connection.start(
            .send(UnsafeRawBufferPointer(peers[index].sent.buffer), to: peers[index].rank), .heartbeat)
    }

    /// The first process that has been silent for too long.
    var silentProcess: Int? {
        peers.first { !$0.hasLeft && lastLook - $0.lastHeard > Double(Self.patience) }?.rank
    }

    /// Reports a failure of this process to process 0.
    mutating func tell(_ failure: MPIFailure) throws(CommunicationError) {
        unsafe message.buffer.copyBytes(from: failure.bytes)
        told = try unsafe connection.start(.send(UnsafeRawBufferPointer(message.buffer), to: 0), .failure)
    }

    /// Whether that report has arrived.
    var isTold: Bool {
        mutating get { (try? isDone(&told)) ?? true }
    }

    /// The failure that another process reported; in process 0 only.
    mutating func othersFailure() throws(CommunicationError) -> (rank: Int, failure: MPIFailure)? {
        guard connection.rank == 0 else { return nil }
        for index in peers.indices where try isDone(&peers[index].waiting) {
            return unsafe (peers[index].rank, MPIFailure(Array(peers[index].failure.buffer)))
        }
        return nil
    }

    /// Exchanges last heartbeats, and returns whether that is done and nothing is on its way any more.
    ///
    /// Process 0 says its last one when it has those of the others, so that all come to the end at about the same time.
    mutating func end() throws(CommunicationError) -> Bool {
        try keep()
        let mayLeave = connection.rank > 0 || peers.allSatisfy(\.hasLeft)
        for index in peers.indices {
            guard try isDone(&peers[index].sending), mayLeave, !peers[index].hasSaidLast else { continue }
            unsafe peers[index].sent.buffer[0] = 1
            peers[index].hasSaidLast = true
            try beat(to: index)
        }
        guard peers.allSatisfy({ $0.hasLeft && $0.hasSaidLast && $0.sending.isEmpty }) else { return false }
        for index in peers.indices { for var request in peers[index].waiting { connection.cancel(&request) } }
        return true
    }

    /// Whether all requests are complete; removes them if so.
    private func isDone(_ requests: inout [MPIRequest]) throws(CommunicationError) -> Bool {
        for index in requests.indices where try !connection.isDone(&requests[index]) { return false }
        requests = []
        return true
    }

    static var now: Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

/// Bytes at a fixed address, as pending messages need them.
@safe final class MPIBytes {
    let buffer: UnsafeMutableRawBufferPointer

    init(count: Int) {
        unsafe buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
        unsafe buffer.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit { unsafe buffer.deallocate() }
}
