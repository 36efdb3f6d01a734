import Support

extension CPUEngine {
    package func patchify(_ images: Tensor, patch: Size, into rows: Tensor) {
        let (imageCount, channels, height, width) = (
            images.shape[0], images.shape[1], images.shape[2], images.shape[3]
        )
        let (gridHeight, gridWidth) = (height / patch.height, width / patch.width)
        let patchLength = channels * patch.height * patch.width
        precondition(
            height % patch.height == 0 && width % patch.width == 0
                && rows.count == imageCount * gridHeight * gridWidth * patchLength,
            "patchify: patches \(patch.height)×\(patch.width) got images \(images.shape), rows \(rows.shape)")
        workers.run(imageCount * gridHeight) { task, _ in
            let (image, gridRow) = (task / gridHeight, task % gridHeight)
            var target = unsafe rows.pointer + task * gridWidth * patchLength
            for gridColumn in 0..<gridWidth {
                for channel in 0..<channels {
                    let plane = unsafe images.pointer + (image * channels + channel) * height * width
                    for row in 0..<patch.height {
                        let source = unsafe plane + (gridRow * patch.height + row) * width + gridColumn * patch.width
                        unsafe target.update(from: source, count: patch.width)
                        unsafe target += patch.width
                    }
                }
            }
        }
    }
}
