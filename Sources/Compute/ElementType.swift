/// The type of a tensor's elements in memory.
public enum ElementType: String, Sendable, Hashable {
    /// 32-bit floating point: activations, weights, gradients.
    case float32
    /// The upper halves of such numbers, 8 bits of precision: activations that a backward pass reads again.
    case bfloat16
    /// 32-bit integers: row and patch numbers.
    case int32

    /// The size of an element in bytes.
    package var byteCount: Int { self == .bfloat16 ? 2 : 4 }
}

/// How a model's products of matrices are computed, chosen once when the model is built.
///
/// Only an engine asks about it: layers hand it on with their weights.
public enum Precision: String, Sendable, Hashable, CaseIterable {
    /// Exact to the references.
    case float32
    /// Weights and what they are multiplied by are rounded to bfloat16, 8 bits of precision; sums and all else are float32.
    case bfloat16
    /// Weights are rounded to whole numbers in -127...127 times a scale for each output, and what they are multiplied by to as
    /// many times a scale for each token; sums are exact. Attention multiplies bfloat16 where that is fast; all else is float32.
    case int8
}
