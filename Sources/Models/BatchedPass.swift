import Compute
import Layers
import Support

/// A pass for inference, planned for batches of one size and planned again for a smaller one; one thread at a time runs it.
package final class BatchedPass: Sendable {
    /// The number of images that are computed at once.
    package let batchSize: Int
    private let model: any VisionModel
    private let reading: VisionPassPlan.Reading
    private let state: Locked<State>

    private struct State {
        let workspace: Workspace
        var pass: any VisionPass
        var imageCount: Int
    }

    package init(_ model: any VisionModel, _ reading: VisionPassPlan.Reading, batchSize: Int, engine: any Engine) {
        precondition(batchSize > 0, "BatchedPass: expected a batch of one image or more, got \(batchSize)")
        self.batchSize = batchSize
        self.model = model
        self.reading = reading
        let (pass, workspace) = Workspace.plan(engine: engine, keepsActivations: false) { workspace in
            model.pass(VisionPassPlan(imageCount: batchSize, reading: reading), in: workspace)
        }
        state = Locked(State(workspace: workspace, pass: pass, imageCount: batchSize))
    }

    /// Lets `body` run a pass over `imageCount` images.
    package func run(_ imageCount: Int, _ body: (any VisionPass) -> Void) {
        precondition(imageCount <= batchSize, "BatchedPass: expected at most \(batchSize) images, got \(imageCount)")
        state.withLock { state in
            if state.imageCount != imageCount {
                state.pass = state.workspace.replan { workspace in
                    model.pass(VisionPassPlan(imageCount: imageCount, reading: reading), in: workspace)
                }
                state.imageCount = imageCount
            }
            body(state.pass)
        }
    }
}
