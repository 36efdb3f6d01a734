import CKernels

extension CPUEngine {
    package func forEachTask(_ count: Int, _ body: (Int) -> Void) {
        workers.run(count) { task, _ in body(task) }
    }

    package func cosines(
        of rowCount: Int, rows: (Range<Int>, inout MutableSpan<Float>) -> Void,
        with queries: any LinearWeights, into y: Tensor
    ) {
        let queries = queries.onCPU
        let (width, queryCount) = (queries.inputs, queries.outputs)
        precondition(
            queries.isPacked && y.count >= rowCount * queryCount,
            "cosines: \(rowCount) rows and \(queryCount) queries got y \(y.shape)")
        let size = 48
        let product = LayerGemm(b: rightOperand(queries, rowCount: rowCount))
        let workspaceCount = product.workspaceCount(rowCount: size)
        forBlocks(of: size, in: rowCount) { range, worker in
            let vectors = unsafe scratch(of: worker, floatCount: size * width + workspaceCount)
            let products = unsafe y.pointer + range.lowerBound * queryCount
            var values = unsafe UnsafeMutableBufferPointer(start: vectors, count: range.count * width).mutableSpan
            rows(range, &values)
            unsafe product.run(
                rowCount: range.count, columns: 0..<queryCount, x: vectors, y: products,
                workspace: vectors + size * width)
            for row in 0..<range.count {
                let length = unsafe vit_sum_of_squares(vectors + row * width, width).squareRoot()
                let scale = length > 0 ? Float(1 / length) : 0
                let line = unsafe products + row * queryCount
                for query in 0..<queryCount { unsafe line[query] *= scale }
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
