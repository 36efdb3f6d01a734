import CKernels
import COneDNN

extension OneDNNEngine {
    package func forEachTask(_ count: Int, _ body: (Int) -> Void) {
        unsafe workers.run(count) { task, _, _ in body(task) }
    }

    package func cosines(
        of rowCount: Int, rows: (Range<Int>, UnsafeMutableBufferPointer<Float>) -> Void, with queries: LinearWeights,
        into y: Tensor
    ) {
        let (width, queryCount) = (queries.inputs, queries.outputs)
        precondition(
            queries.isPacked && y.count >= rowCount * queryCount,
            "cosines: \(rowCount) rows and \(queryCount) queries got y \(y.shape)")
        let size = Self.rowsPerTask
        func primitive(rowCount: Int) -> Primitive {
            let shape = MatmulShape(
                rows: rowCount, inner: width, columns: queryCount, aStrides: (width, 1), bStrides: nil,
                cStride: queryCount)
            return cache.product(shape)
        }
        let whole = primitive(rowCount: size)
        let rest = rowCount % size == 0 ? whole : primitive(rowCount: rowCount % size)
        unsafe forBlocks(of: size, in: rowCount) { range, context, worker in
            let vectors = unsafe UnsafeMutableBufferPointer(
                start: workers.scratch(of: worker, floatCount: size * width), count: range.count * width)
            unsafe rows(range, vectors)
            guard let first = vectors.baseAddress else { return }
            var arguments = unsafe vit_matmul_arguments()
            unsafe arguments.a = UnsafePointer(first)
            unsafe arguments.b = UnsafeRawPointer(queries.data.pointer)
            unsafe arguments.c = y.pointer + range.lowerBound * queryCount
            let status = unsafe vit_matmul_run((range.count == size ? whole : rest).pointer, context, &arguments)
            check(status, "cosines")
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
