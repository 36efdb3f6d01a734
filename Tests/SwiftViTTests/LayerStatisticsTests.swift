import Datasets
import Models
import SwiftViT
import Testing

struct LayerStatisticsTests {
    private static let fixtures = #filePath.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" } + "/Fixtures"
    private let checkpoint = "\(fixtures)/checkpoints/hf-vit"
    private let images = ["baseline.jpg", "cmyk.jpg", "grey.jpg", "422.jpg", "440.jpg", "rgb.jpg"].map {
        "\(fixtures)/imaging/\($0)"
    }

    private func statistics(_ paths: [String]) throws -> LayerStatistics {
        try LayerStatistics(try Checkpoint.open(checkpoint), inputs: paths.map { .file($0) }) { _ in }
    }

    /// Patches of 4 pixels on a grid of 4 by 4, and a class token that does not count.
    @Test func distancesAreThoseOfTheWeights() throws {
        let found = try statistics(images)
        #expect(found.imageCount == 6 && found.meanDistances.map(\.count) == [2, 2])
        for layer in 1...2 {
            var options = AttentionReader.Options()
            options.layer = layer
            let reader = try AttentionReader(checkpoint: checkpoint, options: options)
            let all = try images.map { try reader.read(contentsOfFile: $0) }
            for head in 0..<2 {
                var sum = 0.0
                for maps in all {
                    for query in 0..<16 {
                        let row = maps.weights[(head * 17 + query + 1) * 17 + 1..<(head * 17 + query + 2) * 17].map {
                            Double($0)
                        }
                        let total = row.reduce(0, +)
                        for key in 0..<16 {
                            let (dx, dy) = (Double(query % 4 - key % 4), Double(query / 4 - key / 4))
                            sum += row[key] / total * 4 * (dx * dx + dy * dy).squareRoot()
                        }
                    }
                }
                #expect(abs(found.meanDistances[layer - 1][head] - sum / Double(16 * all.count)) < 1e-4)
            }
        }
    }

    /// Linear CKA from U-centred Gram matrices (Székely and Rizzo 2014), another way to the same estimate.
    @Test func similaritiesEqualAnotherWayToThem() throws {
        let found = try #require(try statistics(images).similarities)
        let centred = try (1...2).map { try centredGram(layer: $0) }
        func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        let expected =
            product(centred[0], centred[1])
            / (product(centred[0], centred[0]) * product(centred[1], centred[1])).squareRoot()
        #expect(found.count == 4 && abs(found[0] - 1) < 1e-9 && abs(found[3] - 1) < 1e-9)
        #expect(abs(found[1] - expected) < 1e-4 && abs(found[1] - found[2]) < 1e-12)
    }

    private func centredGram(layer: Int) throws -> [Double] {
        func vectors(_ pooling: FeaturePooling) throws -> [[Float]] {
            var options = ImageEmbedder.Options()
            options.pooling = pooling
            options.layer = layer
            let embedder = try ImageEmbedder(checkpoint: checkpoint, options: options)
            return try images.map { try embedder.embed(contentsOfFile: $0).values }
        }
        let tokens = zip(try vectors(.classToken), try vectors(.patches)).map { $0 + $1 }
        let n = tokens.count
        func gram(_ row: Int, _ column: Int) -> Double {
            row == column ? 0 : zip(tokens[row], tokens[column]).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        let sums = (0..<n).map { row in (0..<n).reduce(0) { $0 + gram(row, $1) } }
        let all = sums.reduce(0, +)
        return (0..<n * n).map { place in
            let (row, column) = (place / n, place % n)
            guard row != column else { return 0 }
            return gram(row, column) - (sums[row] + sums[column]) / Double(n - 2) + all / Double((n - 1) * (n - 2))
        }
    }

    @Test func fewImagesHaveNoSimilarity() throws {
        var failures = 0
        let found = try LayerStatistics(
            try Checkpoint.open(checkpoint), inputs: (images.prefix(3) + ["missing.png"]).map { .file($0) }
        ) { _ in failures += 1 }
        #expect(found.imageCount == 3 && found.similarities == nil && failures == 1)
        #expect(LayerReport(found, title: "a <b>").html.contains("takes 4 images"))
    }

    /// Axes name whole layers, as many as there is room for, and round distances; a bar says what the colours mean.
    @Test func axesOfTheLayers() {
        func page(_ layers: Int) -> String {
            LayerReport(
                LayerStatistics(
                    imageCount: 4, meanDistances: (0..<layers).map { [33.1 - Double($0) / 10] },
                    similarities: [Double](repeating: 0.5, count: layers * layers)), title: "a"
            ).html
        }
        func labels(_ page: String) -> [String] {
            page.split(separator: "<text ").dropFirst().compactMap { part in
                part.split(separator: ">").dropFirst().first.map { String($0.prefix { $0 != "<" }) }
            }
        }
        let few = labels(page(6))
        #expect(few.prefix(8) == ["0", "5", "10", "15", "20", "25", "30", "1"])
        #expect(few.suffix(9) == ["6", "6", "layer", "0", "0.2", "0.4", "0.6", "0.8", "1"])
        let many = labels(page(48))
        #expect(!many.contains("3") && ["1", "2", "46", "48"].allSatisfy(many.contains))
        #expect(page(6).contains("<linearGradient id=\"scale\"") && page(6).contains("fill=\"url(#scale)\""))
    }
}
