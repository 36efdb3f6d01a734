extension Communicator {
    /// The sum of all processes' numbers over a tree of parts, in the order of the tree.
    ///
    /// Each process adds up one segment of the numbers for all and sends the sum to the others (a reduce-scatter and an
    /// all-gather), so the traffic of a process hardly depends on how many there are.
    ///
    /// - Parameters:
    ///   - sums: this process's sums, those of `tree.nodes(of:)` for its parts; they are overwritten.
    ///   - result: receives the total in every process; may be one of `sums`.
    ///   - messageSize: the most numbers of a message.
    @unsafe package func sum(
        _ sums: [UnsafeMutableBufferPointer<Float>], over tree: SumTree, into result: UnsafeMutableBufferPointer<Float>,
        messageSize: Int = 1 << 18
    ) {
        let layout = SegmentLayout(tree, numbers: result.count, processes: count, messageSize: messageSize)
        precondition(
            unsafe sums.count == layout.nodes[rank].count && sums.allSatisfy { $0.count == result.count },
            "Communicator.sum: expected \(layout.nodes[rank].count) sums of \(result.count) numbers")
        unsafe addSegments(sums, layout, into: result)
        unsafe shareSegments(layout, of: result)
    }

    /// Adds up this process's segment piece by piece, receiving the next pieces meanwhile.
    private func addSegments(
        _ sums: [UnsafeMutableBufferPointer<Float>], _ layout: SegmentLayout,
        into result: UnsafeMutableBufferPointer<Float>
    ) {
        let received = layout.receivedCount(of: rank)
        let memory = UnsafeMutableBufferPointer<Float>.allocate(
            capacity: layout.piecesAtATime * received * layout.pieceSize)
        defer { unsafe memory.deallocate() }
        /// Memory of the `number`th sum received for a piece.
        func place(_ number: Int, piece: Int) -> UnsafeMutableBufferPointer<Float> {
            let first = (piece % layout.piecesAtATime * received + number) * layout.pieceSize
            let size = layout.piece(piece, of: rank).count
            return unsafe UnsafeMutableBufferPointer(rebasing: memory[first..<first + size])
        }
        movePieces(layout) { piece in
            var (messages, number) = ([Message](), 0)
            for peer in layout.nodes.indices where peer != rank {
                for _ in layout.nodes[peer] {
                    unsafe messages.append(
                        .receive(UnsafeMutableRawBufferPointer(place(number, piece: piece)), from: peer))
                    number += 1
                }
                let range = layout.piece(piece, of: peer)
                for index in unsafe sums.indices {
                    let part = unsafe UnsafeBufferPointer(rebasing: sums[index][range])
                    unsafe messages.append(.send(UnsafeRawBufferPointer(part), to: peer))
                }
            }
            return messages
        } whenDone: { piece in
            let range = layout.piece(piece, of: rank)
            var stack = unsafe SumStack<UnsafeMutableBufferPointer<Float>>()
            var number = 0
            for peer in layout.nodes.indices {
                for (index, node) in layout.nodes[peer].enumerated() {
                    if peer == rank {
                        unsafe stack.push(
                            UnsafeMutableBufferPointer(rebasing: sums[index][range]), at: node, add: addNumbers)
                    } else {
                        unsafe stack.push(place(number, piece: piece), at: node, add: addNumbers)
                        number += 1
                    }
                }
            }
            guard let total = unsafe stack.total(add: addNumbers), let source = total.baseAddress,
                let target = unsafe UnsafeMutableBufferPointer(rebasing: result[range]).baseAddress
            else { return }
            if unsafe target != source { unsafe target.update(from: source, count: range.count) }
        }
    }

    /// Sends this process's segment of the result to all others, and gets theirs.
    private func shareSegments(_ layout: SegmentLayout, of result: UnsafeMutableBufferPointer<Float>) {
        func bytes(_ piece: Int, of rank: Int) -> UnsafeMutableRawBufferPointer {
            unsafe UnsafeMutableRawBufferPointer(
                UnsafeMutableBufferPointer(rebasing: result[layout.piece(piece, of: rank)]))
        }
        movePieces(layout) { piece in
            var messages: [Message] = []
            for peer in 0..<count where peer != rank {
                unsafe messages.append(.receive(bytes(piece, of: peer), from: peer))
                unsafe messages.append(.send(UnsafeRawBufferPointer(bytes(piece, of: rank)), to: peer))
            }
            return messages
        }
    }

    /// Exchanges the messages of all pieces in order, several pieces at a time, so that the network never waits.
    ///
    /// Long messages would be worse: Open MPI sends each as a whole, and what would let the other side begin waits behind it.
    private func movePieces(
        _ layout: SegmentLayout, messages: (_ piece: Int) -> [Message], whenDone: (_ piece: Int) -> Void = { _ in }
    ) {
        var transfers: [any Transfer] = []
        for piece in 0..<layout.pieceCount {
            while transfers.count < min(layout.pieceCount, piece + layout.piecesAtATime) {
                transfers.append(start(messages(transfers.count)))
            }
            transfers[piece].wait()
            whenDone(piece)
        }
    }
}

/// Adds `left` to `right` in place, and returns `right`.
private func addNumbers(
    _ left: UnsafeMutableBufferPointer<Float>, _ right: UnsafeMutableBufferPointer<Float>
) -> UnsafeMutableBufferPointer<Float> {
    for index in right.indices { unsafe right[index] += left[index] }
    return unsafe right
}

/// Which process adds up which numbers, and in which pieces.
private struct SegmentLayout {
    /// The sums that each process has.
    let nodes: [[SumTree.Node]]
    let numbers: Int
    let segmentSize: Int
    /// The most numbers of a piece.
    let pieceSize: Int
    /// The most pieces that are on their way.
    let piecesAtATime: Int

    /// The most numbers that received pieces may take at a time.
    private static let memory = 8 << 20

    init(_ tree: SumTree, numbers: Int, processes: Int, messageSize: Int) {
        nodes = (0..<processes).map { tree.nodes(of: tree.parts(of: $0, among: processes)) }
        self.numbers = numbers
        // Segments begin on cache lines.
        segmentSize = ((numbers + processes - 1) / processes + 15) / 16 * 16
        let sums = nodes.reduce(0) { $0 + $1.count }
        let fitting = max(1 << 14, Self.memory / (16 * sums))
        pieceSize = max(1, min(segmentSize, fitting, messageSize))
        piecesAtATime = min(16, max(2, Self.memory / (sums * pieceSize)))
    }

    /// The sums that a process receives for each number of its segment.
    func receivedCount(of rank: Int) -> Int {
        nodes.indices.reduce(0) { $0 + ($1 == rank ? 0 : nodes[$1].count) }
    }

    var pieceCount: Int { (segmentSize + pieceSize - 1) / pieceSize }

    func segment(of rank: Int) -> Range<Int> {
        min(rank * segmentSize, numbers)..<min((rank + 1) * segmentSize, numbers)
    }

    func piece(_ piece: Int, of rank: Int) -> Range<Int> {
        let segment = segment(of: rank)
        let first = min(segment.lowerBound + piece * pieceSize, segment.upperBound)
        return first..<min(first + pieceSize, segment.upperBound)
    }
}
