import Compute
import SwiftViT
import Foundation
import Randomness
import Testing

/// The parts of the map, held to their definitions.
struct MapTests {
    private func random(_ count: Int, seed: UInt64) -> [SIMD2<Double>] {
        var random = CounterRandom(seed: seed, purpose: .synthetic)
        return (0..<count).map { _ in
            SIMD2(Double.random(in: -3...3, using: &random), Double.random(in: -1...1, using: &random))
        }
    }

    /// Σ q² · offset and Σ q over all others.
    private func exact(_ points: [SIMD2<Double>], at index: Int) -> (force: SIMD2<Double>, sum: Double) {
        var (force, sum) = (SIMD2<Double>(), 0.0)
        for other in points.indices where other != index {
            let offset = points[index] - points[other]
            let q = 1 / (1 + offset.x * offset.x + offset.y * offset.y)
            sum += q
            force += q * q * offset
        }
        return (force, sum)
    }

    @Test(arguments: [(0.0, 1e-9), (0.5, 0.02)])
    func theTreeGivesTheForcesOfAllPoints(theta: Double, tolerance: Double) {
        var points = random(400, seed: 5)
        points[100] = points[7]
        points[101] = points[7]
        var tree = QuadTree()
        points.withUnsafeBufferPointer { tree.build($0.baseAddress!, count: $0.count) }
        #expect(tree.nodes[0].count == 400)
        for index in stride(from: 0, to: 400, by: 13) + [7, 100] {
            var pending: [Int] = []
            let found = tree.nodes.withUnsafeBufferPointer {
                QuadTree.repulsion($0, at: points[index], theta: theta, pending: &pending)
            }
            let expected = exact(points, at: index)
            #expect(abs(found.sum / expected.sum - 1) <= tolerance)
            let difference = found.force - expected.force
            #expect((difference * difference).sum().squareRoot() <= tolerance * expected.sum)
        }
    }

    @Test func weightsHaveThePerplexityAskedFor() {
        let distances = (1...90).map { Double($0) * 0.01 + 0.3 }
        for perplexity in [2.0, 10, 30] {
            let weights = NeighborGraph.conditional(distances, perplexity: perplexity)
            #expect(weights.count == distances.count && abs(weights.reduce(0, +) - 1) < 1e-12)
            let entropy = -weights.reduce(0) { $0 + ($1 > 0 ? $1 * log($1) : 0) }
            #expect(abs(exp(entropy) / perplexity - 1) < 1e-4)
            #expect(zip(weights, weights.dropFirst()).allSatisfy { $0 >= $1 })
        }
    }

    @Test func theGraphIsSymmetric() {
        let matches: [[Match]] = [
            [Match(row: 1, similarity: 0.9), Match(row: 2, similarity: 0.5)],
            [Match(row: 0, similarity: 0.9), Match(row: 3, similarity: 0.2)],
            [Match(row: 0, similarity: 0.5), Match(row: 1, similarity: 0.4)],
            [Match(row: 1, similarity: 0.2), Match(row: 2, similarity: 0.1)],
        ]
        let graph = NeighborGraph(matches, perplexity: 1.5)
        #expect(abs(graph.probabilities.reduce(0, +) - 1) < 1e-6)
        func probability(_ row: Int, _ other: Int) -> Float? {
            (graph.starts[row]..<graph.starts[row + 1]).first { Int(graph.neighbors[$0]) == other }
                .map { graph.probabilities[$0] }
        }
        for row in 0..<4 {
            for other in 0..<4 { #expect(probability(row, other) == probability(other, row)) }
        }
        #expect(probability(0, 3) == nil && probability(0, 1)! > probability(0, 2)!)
    }

    /// Points near a line in four dimensions: its direction is the first axis.
    @Test func thePlaneHoldsTheLargestDifferences() {
        let places = random(200, seed: 9)
        let rows = places.map { [10 + Float($0.x), 10 - Float($0.x), 10, 10 + 2 * Float($0.y)] }
        let plane = PrincipalPlane(count: 200, width: 4) { rows[$0] }.points
        func correlation(_ a: [Double], _ b: [Double]) -> Double {
            func centred(_ x: [Double]) -> [Double] { x.map { $0 - x.reduce(0, +) / Double(x.count) } }
            func product(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
            let (x, y) = (centred(a), centred(b))
            return abs(product(x, y)) / (product(x, x) * product(y, y)).squareRoot()
        }
        #expect(correlation(plane.map(\.x), places.map(\.x)) > 0.99)
        #expect(correlation(plane.map(\.y), places.map(\.y)) > 0.9)
    }

    /// Three bundles of directions stay together on the map, whatever the number of threads.
    @Test func whatIsAlikeLiesTogether() throws {
        var random = CounterRandom(seed: 3, purpose: .synthetic)
        let rows: [[Float]] = (0..<120).map { index in
            (0..<10).map { ($0 == index % 3 ? 4 : 0) + Float.random(in: -0.7...0.7, using: &random) }
        }
        let path = NSTemporaryDirectory() + "map-\(UUID().uuidString).npy"
        defer { try? FileManager.default.removeItem(atPath: path) }
        var bytes = Array("{'descr': '<f4', 'fortran_order': False, 'shape': (120, 10), }".utf8)
        bytes = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(bytes.count), 0] + bytes
        for value in rows.joined() { bytes += (0..<4).map { UInt8(value.bitPattern >> (8 * $0) & 0xFF) } }
        try Data(bytes).write(to: URL(filePath: path))
        func places(threads: Int) throws -> [SIMD2<Double>] {
            let engine = Engines.make(threads: threads)
            let search = CosineSearch(try NumPyMatrix(contentsOfFile: path), engine: engine)
            return TSNE.places(search, engine: engine) { _, _ in }.map { SIMD2($0.x, $0.y) }
        }
        let points = try places(threads: 1)
        #expect(try places(threads: 3) == points)
        for index in points.indices {
            let nearest = points.indices.filter { $0 != index }.min {
                let (one, other) = (points[$0] - points[index], points[$1] - points[index])
                return (one * one).sum() < (other * other).sum()
            }
            #expect(nearest.map { $0 % 3 } == index % 3)
        }
    }

    /// Groups are told apart by colour and shape; the colours also by people who lack one kind of cone.
    @Test func markersAreToldApart() {
        let markers = (0..<48).map { MapMarker(group: $0) }
        #expect(Set(markers.map { "\($0.color) \($0.outline)" }).count == 48)
        let colors = markers.prefix(8).map { marker in
            [1, 3, 5].map { place in
                let start = marker.color.index(marker.color.startIndex, offsetBy: place)
                let sample =
                    Double(Int(marker.color[start..<marker.color.index(start, offsetBy: 2)], radix: 16) ?? 0) / 255
                return sample <= 0.04045 ? sample / 12.92 : pow((sample + 0.055) / 1.055, 2.4)
            }
        }
        // Machado, Oliveira and Fernandes 2009, table 1, severity 1: protanopia, deuteranopia and tritanopia.
        let simulations: [[Double]] = [
            [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
            [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881],
            [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900],
        ]
        for matrix in simulations {
            let seen = colors.map { color in
                (0..<3).map { row -> Double in
                    let sum = (0..<3).reduce(0.0) { $0 + matrix[3 * row + $1] * color[$1] }
                    let sample = min(max(sum, 0), 1)
                    return sample <= 0.0031308 ? sample * 12.92 : 1.055 * pow(sample, 1 / 2.4) - 0.055
                }
            }
            for a in 0..<8 {
                for b in 0..<a {
                    let distance = zip(seen[a], seen[b]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
                    #expect(distance > 0.11, "\(a) and \(b)")
                }
            }
        }
    }
}
