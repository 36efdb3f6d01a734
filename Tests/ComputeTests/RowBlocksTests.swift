import Testing

@testable import Compute

struct RowBlocksTests {
    @Test(arguments: [(197, 2, 6), (800, 16, 6), (800, 16, 12), (50, 1, 12), (5, 1, 6), (384, 8, 48)])
    func coverAllRowsInWholeStrips(rowCount: Int, blockCount: Int, stripRows: Int) {
        let blocks = RowBlocks(rowCount: rowCount, blockCount: blockCount, stripRows: stripRows)
        var next = 0
        for block in 0..<blockCount {
            let rows = blocks[block]
            #expect(rows.lowerBound == next && rows.lowerBound % stripRows == 0)
            #expect(!rows.isEmpty && rows.count <= blocks.largest)
            #expect(block == blockCount - 1 || rows.count >= blocks.largest - stripRows)
            next = rows.upperBound
        }
        #expect(next == rowCount)
    }

    /// Every way to multiply divides the rows of layers so that each belongs to one task, however many there are.
    @Test(arguments: MatrixProducts.supported, [1, 7, 50, 197, 383, 800, 3152])
    func areNeverEmpty(products: MatrixProducts, rowCount: Int) {
        let engine = CPUEngine(threadCount: 1, products: products)
        let weights = engine.linearWeights(Tensor(shape: [96, 48]), precision: .float32, changes: false).onCPU
        let side = engine.rightSide(weights, rowCount: rowCount)
        for blocks in [side.tasks(rowCount: rowCount, inGroupsOf: rowCount).rows, side.rowBlocks(rowCount: rowCount)] {
            #expect((0..<blocks.blockCount).allSatisfy { !blocks[$0].isEmpty })
            #expect((0..<blocks.blockCount).reduce(0) { $0 + blocks[$1].count } == rowCount)
        }
    }
}
