// Reexported by `import SwiftViT`: images and preprocessing, checkpoints, models, data sets and training.
@_exported import Compute
@_exported import Datasets
@_exported import Hub
@_exported import Imaging
@_exported import Models
@_exported import Support
@_exported import TensorFiles
@_exported import Training
