import CKernels

/// How the operands of a rounded product are laid out for the kernel.
extension SmallGemm {
    /// Floats of A, rounded.
    var roundedLeftCount: Int {
        aStrides.1 == 1
            ? m * (kernel.roundedStride(k: k) + 1)
            : (m + kernel.mr - 1) / kernel.mr * kernel.packedTileCount(k: k)
    }

    /// Packs B, of which rows or columns are contiguous, in pairs.
    func packRounded(
        _ b: Elements, into packed: UnsafeMutablePointer<Float>, _ workspace: UnsafeMutablePointer<Float>
    ) {
        let panels = 0..<kernel.panelCount(n: n)
        if bStrides.1 != 1 {
            let words = kernel.wordCount(k: k)
            let (columns, stride) = unsafe pairedColumns(b, workspace)
            unsafe kernel.pack(columns, strides: (1, stride), k: words, n: n, panels: panels, into: packed)
        } else if b.type == .bfloat16 {
            unsafe vit_pack_pairs(b.bfloat16s, Int64(bStrides.0), Int64(k), Int64(n), Int64(kernel.nr), packed)
        } else {
            unsafe kernel.packRows(b.floats, stride: bStrides.0, k: k, n: n, panels: panels, into: packed)
        }
    }

    /// The columns of B as words of two numbers, and how many words they are apart: as they lie, or in `workspace`.
    private func pairedColumns(
        _ b: Elements, _ workspace: UnsafeMutablePointer<Float>
    ) -> (UnsafeMutablePointer<Float>, Int) {
        if b.type == .bfloat16, k % 2 == 0, bStrides.1 % 2 == 0 { return unsafe (b.floats, bStrides.1 / 2) }
        let words = kernel.wordCount(k: k)
        for column in 0..<n {
            unsafe (b + column * bStrides.1).copyPairs(count: k, into: workspace + column * words)
        }
        return unsafe (workspace, words)
    }

    /// Lets `operands` read A rounded: in rows, or where its columns are contiguous in tiles.
    func round(_ a: Elements, _ operands: inout vit_gemm_operands, workspace: UnsafeMutablePointer<Float>) {
        unsafe operands.a_is_rounded = 1
        if a.type == .bfloat16, aStrides.1 == 1, kernel.multipliesPairs, k % 2 == 0, aStrides.0 % 2 == 0 {
            return unsafe operands.a_row_stride = Int64(aStrides.0 / 2)
        }
        unsafe operands.a = UnsafePointer(workspace)
        guard aStrides.1 == 1 else {
            unsafe kernel.packTiles(
                a.floats, columnStride: aStrides.1, m: m, k: k, tiles: 0..<(m + kernel.mr - 1) / kernel.mr,
                into: workspace)
            unsafe operands.a_column_stride = Int64(kernel.mr)
            return unsafe operands.a_tile_stride = Int64(kernel.packedTileCount(k: k))
        }
        let stride = kernel.roundedStride(k: k)
        unsafe operands.a_row_stride = Int64(stride)
        guard a.type == .bfloat16 else {
            return unsafe kernel.round(
                a.floats, stride: aStrides.0, rowCount: m, k: k, into: workspace, scales: workspace + m * stride)
        }
        for row in 0..<m {
            let numbers = a + row * aStrides.0
            let target = unsafe workspace + row * stride
            if kernel.multipliesPairs {
                unsafe numbers.copyPairs(count: k, into: target)
            } else {
                unsafe numbers.copy(count: k, into: target)
                if k % 2 != 0 { unsafe target[k] = 0 }
            }
        }
    }
}

extension Elements {
    /// Writes as many numbers as words of two, the last one of an odd number with 0.
    fileprivate func copyPairs(count: Int, into words: UnsafeMutablePointer<Float>) {
        let pairs = unsafe UnsafeMutableRawPointer(words).assumingMemoryBound(to: UInt16.self)
        if type == .bfloat16 {
            unsafe pairs.update(from: bfloat16s, count: count)
        } else {
            unsafe vit_round_to_bfloat16(floats, count, pairs)
        }
        if count % 2 != 0 { unsafe pairs[count] = 0 }
    }
}
