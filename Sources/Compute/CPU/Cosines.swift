import CKernels
import COneDNN

extension CPUEngine {
    package func forEachTask(_ count: Int, _ body: (Int) -> Void) {
        unsafe workers.run(count) { task, _, _ in body(task) }
    }

    package func cosines(
        of rowCount: Int, rows: (Range<Int>, UnsafeMutableBufferPointer<Float>) -> Void,
        with queries: any LinearWeights,
        into y: Tensor
    ) {
        let queries = queries.onCPU
        let (width, queryCount) = (queries.inputs, queries.outputs)
        precondition(
            queries.isPacked && y.count >= rowCount * queryCount,
            "cosines: \(rowCount) rows and \(queryCount) queries got y \(y.shape)")
        let size = Self.rowsPerTask
        let product = LayerProduct(side: rightSide(queries, rowCount: rowCount))
        let workspaceCount = product.workspaceCount(rowCount: size)
        unsafe forBlocks(of: size, in: rowCount) { range, context, worker in
            let first = unsafe workers.scratch(of: worker, floatCount: size * width + workspaceCount)
            unsafe rows(range, UnsafeMutableBufferPointer(start: first, count: range.count * width))
            unsafe product.run(
                rowCount: range.count, columns: 0..<queryCount, cache: cache, context, workspace: first + size * width,
                x: first,
                y: y.pointer + range.lowerBound * queryCount)
            for row in 0..<range.count {
                let length = unsafe vit_sum_of_squares(first + row * width, width).squareRoot()
                let scale = length > 0 ? Float(1 / length) : 0
                let products = unsafe y.pointer + (range.lowerBound + row) * queryCount
                for query in 0..<queryCount { unsafe products[query] *= scale }
            }
        }
    }

    package func normalizeRows(_ x: Tensor) {
        let width = x.shape[1]
        for row in 0..<x.shape[0] {
            let vector = unsafe x.pointer + row * width
            let length = unsafe vit_sum_of_squares(vector, width).squareRoot()
            let scale = length > 0 ? Float(1 / length) : 0
            for index in 0..<width { unsafe vector[index] *= scale }
        }
    }
}
