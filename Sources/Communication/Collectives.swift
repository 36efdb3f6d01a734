extension Communicator {
    /// Sends the bytes of process 0 to all processes, and returns them in each.
    package func broadcast(_ bytes: [UInt8]) -> [UInt8] {
        if isAlone { return bytes }
        var count = [UInt64(bytes.count)]
        unsafe count.withUnsafeMutableBytes { unsafe broadcast($0) }
        var result = isFirst ? bytes : [UInt8](repeating: 0, count: Int(count[0]))
        unsafe result.withUnsafeMutableBytes { unsafe broadcast($0) }
        return result
    }

    /// Overwrites memory in every process with that of process 0; the size is the same in all.
    @unsafe package func broadcast(_ memory: UnsafeMutableRawBufferPointer) {
        if unsafe isAlone || memory.isEmpty { return }
        // A binomial tree: whoever has the bytes passes them on, so that the time grows with the logarithm of the count.
        var distance = 1
        while distance < count {
            if rank < distance, rank + distance < count {
                start(unsafe [.send(UnsafeRawBufferPointer(memory), to: rank + distance)]).wait()
            } else if (distance..<2 * distance).contains(rank) {
                start(unsafe [.receive(memory, from: rank - distance)]).wait()
            }
            distance *= 2
        }
    }

    /// Collects the bytes of all processes in process 0, ordered by rank; the others get an empty array.
    package func gather(_ bytes: [UInt8]) -> [[UInt8]] {
        guard isFirst else {
            send(bytes, to: 0)
            return []
        }
        return [bytes] + receive(from: Array(1..<count))
    }

    /// Waits until every process has called this.
    package func barrier() {
        _ = gather([])
        _ = broadcast([])
    }

    /// Sends bytes, preceded by their count.
    package func send(_ bytes: [UInt8], to peer: Int) {
        let header = [UInt64(bytes.count)]
        unsafe header.withUnsafeBytes { header in
            unsafe bytes.withUnsafeBytes { bytes in
                start(unsafe [.send(header, to: peer), .send(bytes, to: peer)]).wait()
            }
        }
    }

    /// Receives what another process sent with `send`.
    package func receive(from peer: Int) -> [UInt8] { receive(from: [peer])[0] }

    /// Receives from several processes at once.
    private func receive(from peers: [Int]) -> [[UInt8]] {
        if peers.isEmpty { return [] }
        var sizes = [UInt64](repeating: 0, count: peers.count)
        unsafe sizes.withUnsafeMutableBytes { sizes in
            start(
                peers.indices.map { index in
                    unsafe .receive(
                        UnsafeMutableRawBufferPointer(rebasing: sizes[8 * index..<8 * index + 8]), from: peers[index])
                }
            ).wait()
        }
        let total = sizes.reduce(0) { $0 + Int($1) }
        // An array made with room for nothing writes to the one empty array that all threads share.
        if total == 0 { return peers.map { _ in [] } }
        let whole = unsafe [UInt8](unsafeUninitializedCapacity: total) { memory, initialized in
            var (messages, place) = ([Message](), 0)
            for (peer, size) in zip(peers, sizes) where size > 0 {
                let part = unsafe UnsafeMutableRawBufferPointer(memory)[place..<place + Int(size)]
                unsafe messages.append(.receive(UnsafeMutableRawBufferPointer(rebasing: part), from: peer))
                place += Int(size)
            }
            start(messages).wait()
            initialized = total
        }
        var rest = whole[...]
        return sizes.map { size in
            defer { rest = rest.dropFirst(Int(size)) }
            return Array(rest.prefix(Int(size)))
        }
    }
}
