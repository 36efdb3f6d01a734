import CKernels

extension CPUEngine {
    package func mixReversed(_ images: Tensor, weight: Float, rest: Float) {
        let imageCount = images.shape[0]
        let length = images.count / max(imageCount, 1)
        let blocksPerImage = (length + Self.elementsPerTask - 1) / Self.elementsPerTask
        workers.run(imageCount / 2 * blocksPerImage) { task, _ in
            let (image, block) = task.quotientAndRemainder(dividingBy: blocksPerImage)
            let first = block * Self.elementsPerTask
            unsafe vit_mix_pair(
                images.pointer + image * length + first, images.pointer + (imageCount - 1 - image) * length + first,
                min(Self.elementsPerTask, length - first), weight, rest)
        }
    }

    package func swapReversed(_ images: Tensor, rows: Range<Int>, columns: Range<Int>) {
        precondition(images.shape.count == 4, "swapReversed: expected (B, C, height, width), got \(images.shape)")
        let (imageCount, channels, height, width) = (
            images.shape[0], images.shape[1], images.shape[2], images.shape[3]
        )
        precondition(
            rows.lowerBound >= 0 && rows.upperBound <= height && columns.lowerBound >= 0 && columns.upperBound <= width,
            "swapReversed: rows \(rows) and columns \(columns) are not in \(images.shape)")
        workers.run(imageCount / 2 * channels) { task, _ in
            let (image, channel) = task.quotientAndRemainder(dividingBy: channels)
            let plane = (image * channels + channel) * height
            let otherPlane = ((imageCount - 1 - image) * channels + channel) * height
            for row in rows {
                unsafe vit_swap(
                    images.pointer + (plane + row) * width + columns.lowerBound,
                    images.pointer + (otherPlane + row) * width + columns.lowerBound, columns.count)
            }
        }
    }
}
