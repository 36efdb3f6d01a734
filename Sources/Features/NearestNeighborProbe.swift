import Compute
import Models

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// How well classes can be told apart by the nearest neighbours of frozen features.
///
/// DINO's protocol (Caron et al. 2021, appendix F.1; Wu et al. 2018): the k training pictures of the largest cosine
/// vote for their classes with exp(cosine / temperature).
public struct NearestNeighborProbe: Sendable {
    /// Numbers of neighbours, each of which is tried; more than there are pictures means all of them.
    public var neighborCounts = [10, 20, 100]
    /// The smaller, the more the nearest count.
    public var temperature = 0.07
    /// Threads at work; nil: as many as the process may use. Results do not depend on it.
    public var threads: Int?

    /// DINO's: 10, 20 and 100 neighbours, temperature 0.07.
    public init() {}

    /// What a number of neighbours led to.
    public struct Outcome: Sendable, Hashable {
        /// Neighbours that vote (k).
        public let neighborCount: Int
        /// The part of the pictures whose class got the most votes.
        public let top1: Double
        /// The part whose class is among the five with the most; a class without a vote never is.
        public let top5: Double
    }

    /// Pictures that are looked up at once; their neighbours are gathered by tasks of `groupSize`.
    private static let largestBlock = 128
    private static let groupSize = 16
    /// Similarities in memory at once.
    private static let similarityCount = 1 << 24

    /// Lets the pictures of `training` vote on those of `evaluation`; an outcome for each number of neighbours.
    ///
    /// `progress` gets the pictures done.
    public func run(
        training: LabeledFeatures, evaluation: LabeledFeatures, classCount: Int, progress: (Int) -> Void = { _ in }
    ) -> [Outcome] {
        precondition(
            training.width == evaluation.width && training.count > 0 && temperature > 0,
            "NearestNeighborProbe: got \(training.values.shape), \(evaluation.values.shape), \(temperature)")
        let engine = OneDNNEngine(threadCount: threads)
        let pool = WorkerPool(threadCount: engine.threadCount)
        let (known, asked) = (normalized(training.values), normalized(evaluation.values))
        let fitting = Self.similarityCount / training.count / Self.groupSize * Self.groupSize
        let block = min(Self.largestBlock, max(Self.groupSize, fitting))
        let similarities = Tensor(shape: [training.count, block])
        var ranks = [Int](repeating: 0, count: evaluation.count * neighborCounts.count)
        for first in stride(from: 0, to: evaluation.count, by: block) {
            let count = min(block, evaluation.count - first)
            let table = Tensor(storage: similarities.storage, offset: 0, shape: [training.count, count])
            engine.linear(
                known, LinearWeights(inPlace: asked.rows(first..<first + count)), bias: nil,
                epilogue: LinearEpilogue(), into: table)
            unsafe ranks.withUnsafeMutableBufferPointer { ranks in
                let ranks = unsafe ranks
                pool.run((count + Self.groupSize - 1) / Self.groupSize) { task, _ in
                    let columns = task * Self.groupSize..<min(count, (task + 1) * Self.groupSize)
                    let neighbors = nearest(table, columns: columns)
                    for (column, neighbors) in zip(columns, neighbors) {
                        let found = self.ranks(
                            of: evaluation.labels[first + column], neighbors, labels: training.labels,
                            classCount: classCount)
                        for (place, rank) in found.enumerated() {
                            unsafe ranks[(first + column) * neighborCounts.count + place] = rank
                        }
                    }
                }
            }
            progress(first + count)
        }
        return neighborCounts.enumerated().map { place, neighborCount in
            let own = stride(from: place, to: ranks.count, by: neighborCounts.count).map { ranks[$0] }
            let total = Double(max(1, own.count))
            return Outcome(
                neighborCount: neighborCount, top1: Double(own.count { $0 == 0 }) / total,
                top5: Double(own.count { $0 < 5 }) / total)
        }
    }

    /// Each row divided by its Euclidean length.
    private func normalized(_ x: Tensor) -> Tensor {
        let (rowCount, width) = (x.shape[0], x.shape[1])
        let y = Tensor(shape: x.shape)
        for row in 0..<rowCount {
            let (source, target) = unsafe (x.pointer + row * width, y.pointer + row * width)
            var sum = 0.0
            for i in 0..<width { unsafe sum += Double(source[i]) * Double(source[i]) }
            let scale = 1 / max(sum.squareRoot(), 1e-12)
            for i in 0..<width { unsafe target[i] = Float(Double(source[i]) * scale) }
        }
        return y
    }

    /// For each of some columns of `table` (training pictures, columns) the rows with the largest values, the largest
    /// first, of equal ones the first.
    private func nearest(_ table: Tensor, columns: Range<Int>) -> [[Neighbor]] {
        let (rowCount, stride) = (table.shape[0], table.shape[1])
        let wanted = min(rowCount, max(1, neighborCounts.max() ?? 1))
        var found = [NearestNeighbors](repeating: NearestNeighbors(capacity: wanted), count: columns.count)
        for row in 0..<rowCount {
            let line = unsafe table.pointer + row * stride + columns.lowerBound
            for column in 0..<columns.count { unsafe found[column].offer(row, similarity: line[column]) }
        }
        return found.map(\.sorted)
    }

    /// How many classes got more votes than `label`, for each number of neighbours; all of them where it got none.
    private func ranks(of label: Int, _ neighbors: [Neighbor], labels: [Int], classCount: Int) -> [Int] {
        neighborCounts.map { count in
            var votes = [Double](repeating: 0, count: classCount)
            for neighbor in neighbors.prefix(count) {
                votes[labels[neighbor.row]] += exp(Double(neighbor.similarity) / temperature)
            }
            guard votes[label] > 0 else { return max(5, classCount) }
            return votes.indices.count { index in
                votes[index] > votes[label] || (index < label && votes[index] == votes[label])
            }
        }
    }
}

/// A row of a table and how similar it is.
struct Neighbor {
    let row: Int
    let similarity: Float

    /// Whether this one comes after `other`: less similar, or as similar and later.
    func follows(_ other: Neighbor) -> Bool {
        similarity < other.similarity || (similarity == other.similarity && row > other.row)
    }
}

/// The most similar of the rows that were offered: a heap whose first element is the one to go next.
struct NearestNeighbors {
    private var heap: [Neighbor] = []
    private let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
        heap.reserveCapacity(capacity)
    }

    /// The neighbours, the most similar first.
    var sorted: [Neighbor] { heap.sorted { $1.follows($0) } }

    mutating func offer(_ row: Int, similarity: Float) {
        let new = Neighbor(row: row, similarity: similarity)
        if heap.count < capacity {
            heap.append(new)
            rise()
        } else if heap[0].follows(new) {
            heap[0] = new
            sink()
        }
    }

    private mutating func rise() {
        var child = heap.count - 1
        while child > 0, case let parent = (child - 1) / 2, heap[child].follows(heap[parent]) {
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var last = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].follows(heap[last]) {
                last = child
            }
            if last == parent { return }
            heap.swapAt(parent, last)
            parent = last
        }
    }
}
