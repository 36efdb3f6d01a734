import Compute
import Support

extension Engine {
    /// What the decoder is to produce for images (B, C, height, width), as (B, L, target length).
    func targets(_ images: Tensor, _ configuration: MAEConfiguration, into targets: Tensor) {
        let patch = configuration.encoder.patchSize
        switch configuration.target {
        case .normalized, .pixels:
            pixelTargets(
                images, patch: patch,
                normalizes: configuration.target == .normalized, into: targets)
        case .mean:
            cellMeans(images, patch: patch, cells: Size(square: 1), into: targets)
        case .downsampled:
            let cells = Size(height: max(1, patch.height / 4), width: max(1, patch.width / 4))
            cellMeans(images, patch: patch, cells: cells, into: targets)
        }
    }

    /// Each patch as the means of `cells`, in the order (row, column, channel).
    private func cellMeans(_ images: Tensor, patch: Size, cells: Size, into targets: Tensor) {
        let (imageCount, channels, height, width) = (
            images.shape[0], images.shape[1], images.shape[2], images.shape[3]
        )
        let pixels = images.values
        var result = [Float](repeating: 0, count: targets.count)
        let gridWidth = width / patch.width
        let patchCount = height / patch.height * gridWidth
        let scale = Float(cells.height * cells.width) / Float(patch.height * patch.width)
        for image in 0..<imageCount {
            for channel in 0..<channels {
                for row in 0..<height {
                    let first = ((image * channels + channel) * height + row) * width
                    for column in 0..<width {
                        let place = row / patch.height * gridWidth + column / patch.width
                        let cell =
                            row % patch.height * cells.height / patch.height * cells.width
                            + column % patch.width * cells.width / patch.width
                        let index = (image * patchCount + place) * cells.height * cells.width + cell
                        result[index * channels + channel] += pixels[first + column] * scale
                    }
                }
            }
        }
        targets.assign(result)
    }
}
