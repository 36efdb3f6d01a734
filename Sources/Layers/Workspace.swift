import Compute

/// The memory that a pass over a model works in, planned before the first step and owned by whoever runs the pass.
///
/// Layers ask for their tensors once, when a pass is planned. Where activations are kept for a backward pass, each layer
/// gets memory of its own; else one block's memory serves all of them.
package final class Workspace {
    /// A named piece of memory that layers share, one after the other.
    package struct Slot: Hashable, ExpressibleByStringLiteral {
        let name: String
        package init(stringLiteral name: String) { self.name = name }
    }

    package let engine: any Engine
    /// Whether layers that are planned from here on keep their activations.
    package private(set) var keepsActivations: Bool
    private var owned: [Tensor] = []
    private var nextOwned = 0
    private var shared: [Piece: Tensor] = [:]

    /// A slot for one type of elements.
    private struct Piece: Hashable {
        let slot: Slot
        let type: ElementType
    }

    private init(engine: any Engine, keepsActivations: Bool) {
        self.engine = engine
        self.keepsActivations = keepsActivations
    }

    /// Plans a pass; returns it with the workspace that holds its memory.
    package static func plan<Pass>(
        engine: any Engine, keepsActivations: Bool, _ make: (Workspace) throws -> Pass
    ) rethrows -> (pass: Pass, workspace: Workspace) {
        // A first round finds out how large the shared pieces have to be. Memory that nobody touches costs nothing.
        let draft = Workspace(engine: engine, keepsActivations: keepsActivations)
        _ = try make(draft)
        let workspace = Workspace(engine: engine, keepsActivations: keepsActivations)
        workspace.shared = draft.shared.mapValues { Tensor(shape: [$0.count], type: $0.type) }
        return (try make(workspace), workspace)
    }

    /// Plans a pass over fewer images in the same memory: `make` asks for the same tensors as the first time, none larger.
    package func replan<Pass>(_ make: (Workspace) throws -> Pass) rethrows -> Pass {
        nextOwned = 0
        return try make(self)
    }

    /// A tensor of the caller's own.
    package func tensor(_ shape: [Int], type: ElementType = .float32) -> Tensor {
        defer { nextOwned += 1 }
        if nextOwned < owned.count { return owned[nextOwned].first(shape) }
        let tensor = Tensor(shape: shape, type: type)
        owned.append(tensor)
        return tensor
    }

    /// A tensor that the next layer to ask for this slot overwrites.
    package func shared(_ slot: Slot, _ shape: [Int], type: ElementType = .float32) -> Tensor {
        let count = shape.reduce(1, *)
        let piece = Piece(slot: slot, type: type)
        if let tensor = shared[piece], tensor.count >= count { return tensor.first(shape) }
        let tensor = Tensor(shape: shape, type: type)
        shared[piece] = tensor
        return tensor
    }

    /// A tensor that the backward pass reads: the caller's own where activations are kept, else a shared one.
    package func kept(_ slot: Slot, _ shape: [Int], type: ElementType = .float32) -> Tensor {
        keepsActivations ? tensor(shape, type: type) : shared(slot, shape, type: type)
    }

    /// Plans layers that are not trained, of which nothing is kept.
    package func withoutActivations<Pass>(_ make: () throws -> Pass) rethrows -> Pass {
        let keeps = keepsActivations
        keepsActivations = false
        defer { keepsActivations = keeps }
        return try make()
    }
}
