import SwiftViT
import Imaging
import TestTools
import Testing

struct AttentionReaderTests {
    private static let fixtures = #filePath.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" } + "/Fixtures"
    private let image = "\(fixtures)/imaging/baseline.jpg"

    private func reader(
        _ name: String = "hf-vit", _ change: (inout AttentionReader.Options) -> Void = { _ in }
    ) throws -> AttentionReader {
        var options = AttentionReader.Options()
        change(&options)
        return try AttentionReader(checkpoint: "\(Self.fixtures)/checkpoints/\(name)", options: options)
    }

    @Test func eachTokensWeightsAddUpToOne() throws {
        let maps = try reader().read(contentsOfFile: image)
        #expect(maps.layer == 2 && maps.heads == 2 && maps.weights.count == 2 * 17 * 17)
        for row in stride(from: 0, to: maps.weights.count, by: 17) {
            #expect(abs(maps.weights[row..<row + 17].reduce(0, +) - 1) < 1e-5)
        }
        #expect(maps.map(head: 2) == Array(maps.weights[17 * 17 + 1..<17 * 17 + 17]))
        let mean = zip(maps.map(head: 1), maps.map(head: 2)).map { ($0 + $1) / 2 }
        #expect(isClose(mean, maps.meanMap, within: 1e-7))
    }

    /// (0.5 · W₂ + 0.5 · I) · (0.5 · W₁ + 0.5 · I), in double.
    @Test func rolloutIsTheProduct() throws {
        func step(_ layer: Int) throws -> [[Double]] {
            let maps = try reader { $0.layer = layer }.read(contentsOfFile: image)
            return (0..<17).map { row in
                (0..<17).map { column in
                    let place = row * 17 + column
                    let mean = (Double(maps.weights[place]) + Double(maps.weights[17 * 17 + place])) / 2
                    return mean / 2 + (row == column ? 0.5 : 0)
                }
            }
        }
        let (first, second) = (try step(1), try step(2))
        let product = second.map { row in
            (0..<17).map { column in (0..<17).reduce(0.0) { $0 + row[$1] * first[$1][column] } }
        }
        let maps = try reader().read(contentsOfFile: image)
        #expect(isClose(maps.rollout, product.joined(), within: 1e-6))
        #expect(maps.rolloutMap == Array(maps.rollout[1..<17]))
        let one = try reader { $0.layer = 1 }.read(contentsOfFile: image)
        #expect(isClose(one.rollout, first.joined(), within: 1e-6))
    }

    @Test func prefixTokensAreNoPatches() throws {
        let maps = try reader("timm-registers").read(contentsOfFile: image)
        #expect(maps.meanMap.count == 16 && maps.weights.count == 2 * 21 * 21)
        #expect(maps.map(head: 1) == Array(maps.weights[5..<21]))
    }

    @Test func drawings() throws {
        let maps = try reader().read(contentsOfFile: image)
        let (sheet, head, rollout) = (maps.drawn(.sheet), maps.drawn(.head(1)), maps.drawn(.rollout))
        // Image, mean and two heads; image and map. 16 pixels become 192.
        #expect(sheet.width == 4 * 200 + 8 && head.width == 2 * 200 + 8 && rollout.width == head.width)
        #expect(sheet.height > 192 && head != rollout && maps.drawn(.head(2)) != head)
    }

    @Test func layersThatAreNotThere() {
        #expect(throws: ModelUseError.self) { try reader { $0.layer = 0 } }
        #expect(throws: ModelUseError.self) { try reader { $0.layer = 3 } }
    }
}
