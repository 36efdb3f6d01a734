import CKernels

extension CPUEngine {
    package func completeTokens(
        _ visible: Tensor, order: Tensor, maskToken: Tensor, positions: Tensor, into full: Tensor
    ) {
        let (imageCount, tokenCount, width) = (full.shape[0], full.shape[1], full.shape[2])
        let (patchCount, removedCount) = (order.count / imageCount, tokenCount - visible.shape[1])
        let (prefix, keptCount) = (tokenCount - patchCount, patchCount - removedCount)
        precondition(
            order.count == imageCount * patchCount && maskToken.count == width && prefix >= 0 && keptCount >= 0
                && positions.count == tokenCount * width && visible.count == imageCount * (prefix + keptCount) * width,
            "completeTokens: got visible \(visible.shape), positions \(positions.shape), full \(full.shape)")
        workers.run(imageCount) { image, _ in
            let source = unsafe visible.pointer + image * (prefix + keptCount) * width
            for token in 0..<tokenCount {
                let place = token - removedCount
                let row = unsafe place < 0 ? maskToken.pointer : source + place * width
                let patch = place < 0 ? keptCount + token : place - prefix
                let position = unsafe patch < 0 ? place : prefix + Int(order.indices[image * patchCount + patch])
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
        workers.run(imageCount) { image, _ in
            let source = unsafe dFull.pointer + image * tokenCount * width
            let sum = unsafe partial + image * width
            unsafe sum.update(repeating: 0, count: width)
            unsafe vit_add_column_sums(source, removedCount, width, width, sum)
            unsafe (dVisible.pointer + image * visibleCount * width).update(
                from: source + removedCount * width, count: visibleCount * width)
        }
        unsafe vit_add_column_sums(partial, imageCount, width, width, dMaskToken.pointer)
    }
}
