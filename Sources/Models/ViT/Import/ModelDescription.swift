import Support

/// The family whose customs hold where a checkpoint says nothing.
enum Family: String, Sendable {
    case vit, deit, mae, dinov2, clip, siglip
}

/// A token whose position is added to it for good when it is loaded. The sum is what the model computes anyway.
///
/// So registers with positions (ViT-SO150M), and a distillation token that no head reads (a register then), need
/// nothing of their own in the model.
struct PositionFold: Sendable {
    /// The canonical name of the token.
    var token: String
    /// The canonical name that it has in the checkpoint.
    var source: String
    /// Its rows of the stored position table.
    var rows: Range<Int>
}

/// What a checkpoint, or its tensors alone, say about the model.
struct ModelDescription: Sendable {
    var family = Family.vit
    var configuration = ViTConfiguration()
    var labels: [String]?
    /// What makes scores of the head's logits, where a file states it.
    var activation: HeadActivation?
    /// Whether a file states the image size.
    var statesImageSize = false
    /// Tokens with rows of the position table that the model does not give them; see `PositionFold`.
    var folds: [PositionFold] = []
    /// What was not stated and was assumed, a sentence each.
    var assumptions: [String] = []
    /// Tensors that are present but unused, by stored name, with the reason.
    var ignored: [String: String] = [:]
}
