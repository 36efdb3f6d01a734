import Compute
import SwiftViT
import Foundation
import Randomness
import Testing

/// Exact search and near-duplicates among vectors, held to comparing everything with everything in double.
struct SearchTests {
    /// An array in a file of its own, with its rows as the file holds them.
    private final class File {
        let path = NSTemporaryDirectory() + "search-\(UUID().uuidString).npy"
        private(set) var rows: [[Float]]

        init(_ rows: [[Float]], half: Bool) throws {
            self.rows = half ? rows.map { $0.map { Float(Float16($0)) } } : rows
            var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0]
            let descriptor = half ? "<f2" : "<f4"
            bytes += Array(
                "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (\(rows.count), \(rows[0].count)), }".utf8)
            bytes += [UInt8](repeating: 32, count: 128 - bytes.count)
            for value in rows.joined() {
                let bits = half ? UInt32(Float16(value).bitPattern) : value.bitPattern
                bytes += (0..<(half ? 2 : 4)).map { UInt8(bits >> (8 * $0) & 0xFF) }
            }
            try Data(bytes).write(to: URL(filePath: path))
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    private func random(_ count: Int, _ width: Int, seed: UInt64) -> [[Float]] {
        var random = CounterRandom(seed: seed, purpose: .synthetic)
        return (0..<count).map { _ in (0..<width).map { _ in Float.random(in: -1...1, using: &random) } }
    }

    private func cosine(_ a: [Float], _ b: [Float]) -> Double {
        let product = zip(a, b).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        func length(_ x: [Float]) -> Double { x.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot() }
        let lengths = length(a) * length(b)
        return lengths > 0 ? product / lengths : 0
    }

    /// More rows than a block holds, more queries than a pass, and ends that fill neither.
    @Test(arguments: [(1, 5, 1, false), (100, 7, 3, true), (6145, 16, 40, false), (13_000, 9, 530, true)])
    func theBestAreFound(rowCount: Int, width: Int, queryCount: Int, half: Bool) throws {
        let file = try File(random(rowCount, width, seed: 1), half: half)
        let queries = random(queryCount, width, seed: 2)
        let vectors = try NumPyMatrix(contentsOfFile: file.path, of: [.float32, .float16])
        let search = CosineSearch(vectors, engine: Engines.make(threads: 3))
        let tensor = Tensor(queries.flatMap { $0 }, shape: [queryCount, width])
        let found = search.best(10, for: tensor, excluding: [Int?](repeating: nil, count: queryCount))
        #expect(found.count == queryCount)
        for query in stride(from: 0, to: queryCount, by: max(1, queryCount / 7)) {
            let all = file.rows.map { cosine($0, queries[query]) }
            let expected = all.indices.sorted { all[$0] > all[$1] }.prefix(10)
            #expect(found[query].map(\.row) == Array(expected))
            #expect(found[query].allSatisfy { abs(Double($0.similarity) - all[$0.row]) < 1e-6 })
        }
        let alone = CosineSearch(vectors, engine: Engines.make(threads: 1))
        #expect(alone.best(10, for: tensor, excluding: [Int?](repeating: nil, count: queryCount)) == found)
    }

    @Test func equalsComeInTheOrderOfTheirRows() throws {
        let same = [[Float]](repeating: [3, 4], count: 7000)
        let file = try File(same, half: false)
        let search = CosineSearch(try NumPyMatrix(contentsOfFile: file.path), engine: Engines.make(threads: 2))
        let found = search.best(5, for: Tensor([1, 1], shape: [1, 2]), excluding: [2])
        #expect(found[0].map(\.row) == [0, 1, 3, 4, 5])
        #expect(
            search.best(9000, for: Tensor([1, 1], shape: [1, 2]), excluding: [nil])[0].map(\.row) == Array(0..<7000))
    }

    @Test func aRowOfZerosIsLikeNothing() throws {
        let file = try File([[0, 0], [1, 0], [-1, 0]], half: true)
        let vectors = try NumPyMatrix(contentsOfFile: file.path, of: [.float16])
        let search = CosineSearch(vectors, engine: Engines.make(threads: 1))
        let found = search.best(3, for: Tensor([2, 0], shape: [1, 2]), excluding: [nil])
        #expect(found[0] == [Match(1, 1), Match(0, 0), Match(2, -1)])
    }

    /// The groups by the vectors alone, which a cosine of `threshold` or more makes alike.
    private func groups(_ rows: [[Float]], atLeast threshold: Float, sizes: [Int: Int] = [:]) throws -> [DuplicateGroup]
    {
        let file = try File(rows, half: false)
        let vectors = CenteredRows(try NumPyMatrix(contentsOfFile: file.path))
        let duplicates = NearDuplicates(vectors, engine: Engines.make(threads: 2))
        return duplicates.groups(of: duplicates.neighbors { _ in }, byteCount: { sizes[$0] ?? 4 }) {
            row, other, cosine in
            let expected = vectors.cosine(row, other)
            if let cosine { #expect(abs(cosine - expected) < 1e-5) }
            return expected >= threshold
        }
    }

    @Test func nearDuplicatesAreGrouped() throws {
        // Enough rows for several passes; some are copies, nearly or in full.
        var rows = random(1500, 12, seed: 3)
        rows[900] = rows[7]
        rows[1499] = rows[7].map { 2 * $0 }
        rows[600] = rows[599].map { $0 * 1.001 + 0.001 }
        let groups = try groups(rows, atLeast: 0.999, sizes: [900: 5])
        #expect(groups.map(\.rows) == [[7, 900, 1499], [599, 600]])
        #expect(groups.map(\.kept) == [900, 599])
        #expect(groups[0].similarities.allSatisfy { abs($0 - 1) < 1e-6 })
    }

    /// Pairs (0, 1), (1, 2), … of a chain are similar, its ends are not: the members of a group all are.
    @Test func aChainIsNoGroup() throws {
        let angles = (0..<6).map { Double($0) * 0.3 } + [3.5]
        let rows = angles.map { [Float(cos($0)), Float(sin($0))] }
        let pairs = try groups(rows, atLeast: Float(cos(0.31)))
        #expect(pairs.map(\.rows).allSatisfy { $0.count == 2 && $0[1] == $0[0] + 1 } && pairs.count >= 2)
        #expect(try groups(rows, atLeast: Float(cos(0.61))).map(\.rows.count) == [3, 3])
        #expect(try groups(rows, atLeast: Float(cos(0.29))).isEmpty)
    }

    /// A direction that all vectors share makes raw cosines high, and centred ones not.
    @Test func theMeanIsSubtracted() throws {
        let rows = random(60, 12, seed: 5).map { row in row.map { $0 + 40 } }
        let file = try File(rows, half: false)
        let matrix = try NumPyMatrix(contentsOfFile: file.path)
        #expect(CenteredRows(matrix).cosine(0, 1) < 0.9)
        let found = try groups(rows + [rows[3].map { 1.5 * $0 }], atLeast: 0.99)
        #expect(found.map(\.rows) == [[3, 60]])
        // Too few vectors say nothing of what they share; nor is there anything to subtract from equal ones.
        #expect(try groups(Array(rows[..<5]), atLeast: 0.99).map(\.rows) == [[0, 1, 2, 3, 4]])
        #expect(try groups([[Float]](repeating: [3, 4, 5], count: 40), atLeast: 0.99).map(\.rows) == [Array(0..<40)])
        let spoilt = try File(rows + [[Float](repeating: .nan, count: 12)], half: false)
        #expect(CenteredRows(try NumPyMatrix(contentsOfFile: spoilt.path)).notFinite == [60])
    }

    /// The threshold lies between copies and neighbours by chance, in a set with copies and in one without.
    @Test(arguments: [0, 20]) func theThresholdFollowsFromTheSet(copies: Int) throws {
        var rows = random(300, 24, seed: 8)
        let noise = random(copies, 24, seed: 9)
        for (row, noise) in noise.enumerated() { rows[200 + row] = zip(rows[row], noise).map { $0 + 0.02 * $1 } }
        let file = try File(rows, half: false)
        let vectors = CenteredRows(try NumPyMatrix(contentsOfFile: file.path))
        let duplicates = NearDuplicates(vectors, engine: Engines.make(threads: 1))
        let neighbors = duplicates.neighbors { _ in }
        let threshold = NearDuplicates.threshold(of: neighbors)
        let close = neighbors.indices.filter { (neighbors[$0].first?.similarity ?? 0) >= threshold }
        #expect(close == Array(0..<copies) + Array(200..<200 + copies), "\(threshold)")
    }
}

extension Match {
    fileprivate init(_ row: Int, _ similarity: Float) { self.init(row: row, similarity: similarity) }
}
