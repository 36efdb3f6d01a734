import Testing

@testable import Compute

struct RowBlocksTests {
    @Test(arguments: [(197, 2, 6), (800, 16, 6), (800, 16, 12), (50, 1, 12), (5, 1, 6), (384, 8, 48)])
    func coverAllRowsInWholeTiles(rowCount: Int, blockCount: Int, mr: Int) {
        let blocks = RowBlocks(rowCount: rowCount, blockCount: blockCount, mr: mr)
        var next = 0
        for block in 0..<blockCount {
            let rows = blocks[block]
            #expect(rows.lowerBound == next && rows.lowerBound % mr == 0)
            #expect(!rows.isEmpty && rows.count <= blocks.largest)
            #expect(block == blockCount - 1 || rows.count >= blocks.largest - mr)
            next = rows.upperBound
        }
        #expect(next == rowCount)
    }

    /// The rows of a layer are divided so that each belongs to one task, however many there are.
    @Test(arguments: InstructionSet.supported, [1, 7, 50, 197, 383, 800, 3152])
    func areNeverEmpty(instructionSet: InstructionSet, rowCount: Int) {
        let kernel = GemmKernel(instructionSet)
        let whole = kernel.tasks(rowCount: rowCount, inGroupsOf: rowCount, columns: 96).rows
        for blocks in [whole, kernel.rowBlocks(rowCount: rowCount, longest: 60)] {
            #expect((0..<blocks.blockCount).allSatisfy { !blocks[$0].isEmpty })
            #expect((0..<blocks.blockCount).reduce(0) { $0 + blocks[$1].count } == rowCount)
        }
    }
}
