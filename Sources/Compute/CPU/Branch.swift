import CKernels

extension CPUEngine {
    package func addBranch(
        _ branch: Tensor, columnScale: Tensor?, imageScale: Tensor?, to x: Tensor, into y: Tensor
    ) {
        let (imageCount, tokenCount, width) = (x.shape[0], x.shape[1], x.shape[2])
        precondition(
            branch.count == x.count && y.count == x.count && columnScale.map { $0.count == width } ?? true
                && imageScale.map { $0.count == imageCount } ?? true,
            "addBranch: got branch \(branch.shape), x \(x.shape), y \(y.shape)")
        workers.run(imageCount) { image, _ in
            let first = image * tokenCount * width
            unsafe vit_add_branch(
                x.pointer + first, branch.pointer + first, columnScale.map { unsafe UnsafePointer($0.pointer) },
                imageScale.map { unsafe $0.pointer[image] } ?? 1, tokenCount, width, y.pointer + first)
        }
    }

    package func addBranchBackward(
        _ dy: Tensor, branch: Tensor, columnScale: Tensor?, imageScale: Tensor?, dBranch: Tensor, dColumnScale: Tensor?
    ) {
        let (imageCount, tokenCount, width) = (dy.shape[0], dy.shape[1], dy.shape[2])
        precondition(
            branch.count == dy.count && dBranch.count == dy.count && columnScale.map { $0.count == width } ?? true
                && imageScale.map { $0.count == imageCount } ?? true && dColumnScale.map { $0.count == width } ?? true,
            "addBranchBackward: got dy \(dy.shape), branch \(branch.shape), dBranch \(dBranch.shape)")
        // Each image sums its own tokens; the images are then added in order.
        let partial = unsafe dColumnScale.map { _ in unsafe partialSums(floatCount: imageCount * width) }
        workers.run(imageCount) { image, _ in
            let first = image * tokenCount * width
            let sums = unsafe partial.map { unsafe $0 + image * width }
            unsafe sums?.update(repeating: 0, count: width)
            unsafe vit_add_branch_backward(
                dy.pointer + first, branch.pointer + first, columnScale.map { unsafe UnsafePointer($0.pointer) },
                imageScale.map { unsafe $0.pointer[image] } ?? 1, tokenCount, width, dBranch.pointer + first, sums)
        }
        if let partial = unsafe partial, let dColumnScale {
            unsafe vit_add_column_sums(partial, imageCount, width, width, dColumnScale.pointer)
        }
    }
}
