import CKernels

extension CPUEngine {
    package func gather(_ index: Tensor, of x: Tensor, into y: Tensor) {
        let (imageCount, keptCount, width) = (y.shape[0], y.shape[1], y.shape[2])
        let rowCount = x.shape[x.shape.count - 2]
        let isShared = x.count == rowCount * width
        precondition(
            index.count == imageCount * keptCount && (isShared || x.count == imageCount * rowCount * width),
            "gather: \(index.count) rows of x \(x.shape), y \(y.shape)")
        workers.run(imageCount) { image, _ in
            let source = unsafe x.pointer + (isShared ? 0 : image * rowCount * width)
            for place in image * keptCount..<(image + 1) * keptCount {
                unsafe (y.pointer + place * width).update(
                    from: source + Int(index.indices[place]) * width, count: width)
            }
        }
    }

    package func gatherBackward(_ dy: Tensor, index: Tensor, dTable: Tensor) {
        let width = dTable.shape[1]
        precondition(
            dy.count == index.count * width, "gatherBackward: \(index.count) rows got dy \(dy.shape)")
        for place in 0..<index.count {
            unsafe vit_add(
                dy.pointer + place * width, width, dTable.pointer + Int(index.indices[place]) * width)
        }
    }
}
