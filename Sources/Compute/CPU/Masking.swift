import CKernels

extension CPUEngine {
    package func gatherRows(_ x: Tensor, index: [Int32], into y: Tensor) {
        let (imageCount, keptCount, width) = (y.shape[0], y.shape[1], y.shape[2])
        let rowCount = x.shape[x.shape.count - 2]
        let isShared = x.count == rowCount * width
        precondition(
            index.count == imageCount * keptCount && (isShared || x.count == imageCount * rowCount * width),
            "gatherRows: \(index.count) places got x \(x.shape), y \(y.shape)")
        unsafe workers.run(imageCount) { image, _, _ in
            let source = unsafe x.pointer + (isShared ? 0 : image * rowCount * width)
            for place in image * keptCount..<(image + 1) * keptCount {
                unsafe (y.pointer + place * width).update(from: source + Int(index[place]) * width, count: width)
            }
        }
    }

    package func scatterRowSums(_ dy: Tensor, index: [Int32], into dTable: Tensor) {
        let width = dTable.shape[1]
        precondition(
            dy.count == index.count * width, "scatterRowSums: \(index.count) places got dy \(dy.shape)")
        for (place, row) in index.enumerated() {
            unsafe vit_add(dy.pointer + place * width, width, dTable.pointer + Int(row) * width)
        }
    }

    package func completeTokens(
        _ visible: Tensor, order: [Int32], maskToken: Tensor, positions: Tensor, into full: Tensor
    ) {
        let (imageCount, tokenCount, width) = (full.shape[0], full.shape[1], full.shape[2])
        let (patchCount, removedCount) = (order.count / imageCount, tokenCount - visible.shape[1])
        let (prefix, keptCount) = (tokenCount - patchCount, patchCount - removedCount)
        precondition(
            order.count == imageCount * patchCount && maskToken.count == width && prefix >= 0 && keptCount >= 0
                && positions.count == tokenCount * width && visible.count == imageCount * (prefix + keptCount) * width,
            "completeTokens: got visible \(visible.shape), positions \(positions.shape), full \(full.shape)")
        unsafe workers.run(imageCount) { image, _, _ in
            let source = unsafe visible.pointer + image * (prefix + keptCount) * width
            for token in 0..<tokenCount {
                let place = token - removedCount
                let row = unsafe place < 0 ? maskToken.pointer : source + place * width
                let patch = place < 0 ? keptCount + token : place - prefix
                let position = patch < 0 ? place : prefix + Int(order[image * patchCount + patch])
                let target = unsafe full.pointer + (image * tokenCount + token) * width
                unsafe target.update(from: row, count: width)
                unsafe vit_add(positions.pointer + position * width, width, target)
            }
        }
    }

    package func completeTokensBackward(_ dFull: Tensor, dVisible: Tensor, dMaskToken: Tensor) {
        let (imageCount, tokenCount, width) = (dFull.shape[0], dFull.shape[1], dFull.shape[2])
        let visibleCount = dVisible.shape[1]
        let removedCount = tokenCount - visibleCount
        precondition(
            dVisible.shape == [imageCount, visibleCount, width] && dMaskToken.count == width && removedCount >= 0,
            "completeTokensBackward: got dFull \(dFull.shape), dVisible \(dVisible.shape)")
        let partial = unsafe partialSums(floatCount: imageCount * width)
        unsafe workers.run(imageCount) { image, _, _ in
            let source = unsafe dFull.pointer + image * tokenCount * width
            let sum = unsafe partial + image * width
            unsafe sum.update(repeating: 0, count: width)
            unsafe vit_add_column_sums(source, removedCount, width, width, sum)
            unsafe (dVisible.pointer + image * visibleCount * width).update(
                from: source + removedCount * width, count: visibleCount * width)
        }
        unsafe vit_add_column_sums(partial, imageCount, width, width, dMaskToken.pointer)
    }

    package func dropPrefix(_ prefix: Int, of x: Tensor, into y: Tensor) {
        let (imageCount, tokenCount, width) = (x.shape[0], x.shape[1], x.shape[2])
        precondition(
            y.count == imageCount * (tokenCount - prefix) * width, "dropPrefix: got x \(x.shape), y \(y.shape)")
        unsafe workers.run(imageCount) { image, _, _ in
            let count = (tokenCount - prefix) * width
            unsafe (y.pointer + image * count).update(
                from: x.pointer + (image * tokenCount + prefix) * width, count: count)
        }
    }

    package func leadingTokensBackward(_ dy: Tensor, dx: Tensor) {
        let (imageCount, tokenCount, width) = (dx.shape[0], dx.shape[1], dx.shape[2])
        precondition(
            dy.count % (imageCount * width) == 0 && dy.count <= dx.count,
            "leadingTokensBackward: got dy \(dy.shape), dx \(dx.shape)")
        let count = dy.count / imageCount
        unsafe workers.run(imageCount) { image, _, _ in
            let target = unsafe dx.pointer + image * tokenCount * width
            unsafe target.update(from: dy.pointer + image * count, count: count)
            unsafe (target + count).update(repeating: 0, count: tokenCount * width - count)
        }
    }

    package func addPrefixGradient(_ dTokens: Tensor, dPrefix: Tensor) {
        let (imageCount, tokenCount, width) = (dTokens.shape[0], dTokens.shape[1], dTokens.shape[2])
        precondition(
            dPrefix.count % width == 0 && dPrefix.count <= tokenCount * width,
            "addPrefixGradient: got dTokens \(dTokens.shape), dPrefix \(dPrefix.shape)")
        unsafe forBlocks(of: Self.columnsPerTask, in: dPrefix.count) { columns, _, _ in
            unsafe vit_add_column_sums(
                dTokens.pointer + columns.lowerBound, imageCount, columns.count, tokenCount * width,
                dPrefix.pointer + columns.lowerBound)
        }
    }
}
