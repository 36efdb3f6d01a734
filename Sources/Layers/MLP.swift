import Compute

/// The feed-forward network of a block: a linear layer, an activation, a linear layer (Dosovitskiy et al. 2021, section 3.1).
package struct MLP: TokenLayer {
    package let first: Linear
    package let second: Linear
    package let activation: Activation

    /// Takes `name.fc1` and `name.fc2`.
    package init(_ name: String, activation: Activation, _ builder: LayerBuilder) throws {
        first = try builder.linear("\(name).fc1")
        second = try builder.linear("\(name).fc2")
        self.activation = activation
    }

    package var activationsPerToken: Int { first.outputs }

    package func pass(over tokens: TokenShape, queryCount: Int, in workspace: Workspace) -> any TokenLayerPass {
        Pass(self, over: tokens, in: workspace)
    }

    private struct Pass: TokenLayerPass {
        let layer: MLP
        let engine: any Engine
        /// The activation's input (B, N, 4·D), where a backward pass follows.
        let preActivation: Tensor?
        /// The activation's output, and in the backward pass its gradient.
        let hidden: Tensor

        init(_ layer: MLP, over tokens: TokenShape, in workspace: Workspace) {
            self.layer = layer
            engine = workspace.engine
            let shape = tokens.shape(width: layer.first.outputs)
            preActivation =
                workspace.keepsActivations ? workspace.tensor(shape, type: layer.first.weights.activationType) : nil
            hidden = workspace.shared("wide", shape)
        }

        private var layers: MLPLayers {
            MLPLayers(
                first: layer.first.weights, firstBias: layer.first.bias?.value, activation: layer.activation,
                second: layer.second.weights, secondBias: layer.second.bias?.value)
        }

        func forward(_ x: Tensor, epilogue: LinearEpilogue, into y: Tensor) {
            engine.mlp(x, layers, preActivation: preActivation, hidden: hidden, epilogue: epilogue, into: y)
        }

        func backward(_ dy: Tensor, input: () -> Tensor, dx: Tensor) {
            guard let preActivation else { preconditionFailure("MLP.backward: the forward pass kept nothing for it") }
            engine.activate(preActivation, layer.activation, into: hidden)
            layer.second.addGradients(dy, x: hidden, engine: engine)
            engine.mlpInputGradient(dy, layers, preActivation: preActivation, dHidden: hidden, dx: dx)
            layer.first.addGradients(hidden, x: input(), engine: engine)
        }
    }
}
