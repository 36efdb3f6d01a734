/// The tokens of a long word while pairs of them are joined: in a list, with the pairs in a queue by rank and place.
struct MergeChain {
    private struct Link {
        /// The token; -1 where it was joined to the one before.
        var token: Int32
        var previous: Int32
        var next: Int32
    }

    private struct Candidate {
        var rank: Int32
        var place: Int32
        var token: Int32

        func precedes(_ other: Candidate) -> Bool {
            rank < other.rank || rank == other.rank && place < other.place
        }
    }

    private var links: [Link]
    /// A heap: no candidate precedes the one at half its index.
    private var queue: [Candidate] = []

    init(_ tokens: [Int32]) {
        links = tokens.indices.map { index in
            Link(
                token: tokens[index], previous: Int32(truncatingIfNeeded: index - 1),
                next: index + 1 < tokens.count ? Int32(truncatingIfNeeded: index + 1) : -1)
        }
    }

    /// Joins pairs until none is left that `merges` knows.
    mutating func merge(_ merges: MergeTable) {
        queue.reserveCapacity(links.count)
        for place in links.indices { offer(Int32(truncatingIfNeeded: place), merges) }
        while let candidate = removeFirst() {
            let place = Int(candidate.place)
            let next = links[place].next
            guard links[place].token >= 0, next >= 0,
                // The pair may have changed since it was offered.
                let merge = merges[links[place].token, links[Int(next)].token], merge.token == candidate.token
            else { continue }
            let after = links[Int(next)].next
            links[place].token = merge.token
            links[place].next = after
            links[Int(next)].token = -1
            if after >= 0 { links[Int(after)].previous = candidate.place }
            if links[place].previous >= 0 { offer(links[place].previous, merges) }
            offer(candidate.place, merges)
        }
    }

    func append(to ids: inout [Int32]) {
        for link in links where link.token >= 0 { ids.append(link.token) }
    }

    /// Queues the pair that begins at `place`, where it can be joined.
    private mutating func offer(_ place: Int32, _ merges: MergeTable) {
        let link = links[Int(place)]
        guard link.next >= 0, let merge = merges[link.token, links[Int(link.next)].token] else { return }
        queue.append(Candidate(rank: merge.rank, place: place, token: merge.token))
        var child = queue.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard queue[child].precedes(queue[parent]) else { break }
            queue.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func removeFirst() -> Candidate? {
        guard let first = queue.first else { return nil }
        let last = queue.removeLast()
        guard !queue.isEmpty else { return first }
        queue[0] = last
        var parent = 0
        while true {
            var child = parent * 2 + 1
            guard child < queue.count else { break }
            if child + 1 < queue.count, queue[child + 1].precedes(queue[child]) { child += 1 }
            guard queue[child].precedes(queue[parent]) else { break }
            queue.swapAt(child, parent)
            parent = child
        }
        return first
    }
}
