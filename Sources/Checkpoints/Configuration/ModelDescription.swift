import Models

/// The family whose customs hold where a checkpoint says nothing.
enum Family: String, Sendable {
    case vit, deit, mae, dinov2
}

/// What a checkpoint, or its tensors alone, say about the model.
struct ModelDescription: Sendable {
    var family = Family.vit
    var configuration = ViTConfiguration()
    var decoder: MAEDecoderConfiguration?
    var labels: [String]?
    /// Whether a file states the size of picture.
    var statesImageSize = false
    /// What was not stated and was assumed, a sentence each.
    var assumptions: [String] = []
    /// Tensors that are present but unused, by stored name, with the reason.
    var ignored: [String: String] = [:]
}
