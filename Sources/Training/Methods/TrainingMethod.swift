import Communication
import Compute
import Datasets
import Models
import Support

/// A way to train: what it makes of an image, its model and loss, and what it measures, reports and exports.
///
/// The loop, the optimizer, the schedule, checkpoints, resuming, metrics and reports are the same for all methods and
/// know none of them. A new method is a folder beside this file and an entry in `TrainingMethods`.
package protocol TrainingMethod<Settings>: AnyObject, SendableMetatype {
    /// The settings that it has beside those of every run and of the encoder.
    associatedtype Settings: Sendable & Equatable

    // What can be asked for, and what follows from that.

    /// As `--method` and `config.json` call it.
    static var name: String { get }
    /// The settings of a run that nothing else is asked of, but for what follows from data and checkpoint.
    static var defaults: TrainingSettings<Settings> { get }
    /// Every setting in the order of `config.json`, each declared once.
    static var options: [TrainingOption<Settings>] { get }
    /// Whether every image needs a class.
    static var requiresLabels: Bool { get }
    /// The fraction that is held out of data with so many images and no split.
    static var holdout: (fraction: Double, imageCount: Int) { get }
    /// Takes what is the method's own from the checkpoint that a run starts from, or refuses it; the encoder is taken.
    static func adopt(_ checkpoint: Checkpoint, into settings: inout TrainingSettings<Settings>) throws
    /// Takes what follows from the data, or refuses data that a resumed run was not begun with.
    static func read(_ dataset: ImageDataset, into settings: inout TrainingSettings<Settings>) throws
    /// Settles what is not among the `given` options of a new run.
    static func settle(
        _ settings: inout TrainingSettings<Settings>, given: Set<String>, checkpoint: Checkpoint?) throws
    /// Refuses settings that do not go together.
    static func check(_ settings: TrainingSettings<Settings>, given: Set<String>) throws(TrainingError)

    /// The least memory that a run takes.
    static func memoryNeed(_ settings: TrainingSettings<Settings>) -> MemoryNeed

    // A step.

    /// The model as a run starts it; `note` takes sentences about that.
    ///
    /// Of a resumed run, the parameters are restored later; what else is fixed comes from `start`.
    init(
        _ settings: TrainingSettings<Settings>, start: TrainingStart, dataset: ImageDataset, engine: any Engine,
        note: (String) -> Void) throws
    var settings: TrainingSettings<Settings> { get }
    var parameters: TrainedParameters { get }
    /// Tables that belong to the model and are not trained.
    var fixedTensors: [(name: String, tensor: Tensor)] { get }
    /// What a training image becomes before it is normalized: one view or several.
    var augmentation: Augmentation { get }
    /// The loss of a batch, the mean over its images; its share of the step's gradient is added.
    func pass(_ batch: Batch, step: Int, part: Int) throws -> Double

    // Measurements, reports and the result.

    /// When `measure` is called.
    static var measures: MeasuringTime { get }
    /// Measures the model after `step` steps, together with other processes; nil where nothing is held out, and in other
    /// processes than the first.
    func measure(step: Int, among communicator: any Communicator) throws -> Measurement?
    /// Adds the method's own to a report: summary, charts, sections.
    func describe(_ report: inout RunReport, metrics: RunReport.Lines, directory: RunDirectory, step: Int)
        throws(FileError)
    /// Adds the method's own to a plan: model, input, rows, warnings.
    func describe(_ plan: inout RunPlan, dataset: ImageDataset, given: Set<String>)
    /// The writer of the result, and its layout.
    var result: (writer: CheckpointWriter, layout: ExportLayout) { get }
    /// Describes all that a checkpoint holds, also what the result leaves out.
    var checkpointWriter: CheckpointWriter { get }
}

extension TrainingMethod {
    package static func adopt(_ checkpoint: Checkpoint, into settings: inout TrainingSettings<Settings>) throws {}
    package static func read(_ dataset: ImageDataset, into settings: inout TrainingSettings<Settings>) throws {}
    package static func settle(
        _ settings: inout TrainingSettings<Settings>, given: Set<String>, checkpoint: Checkpoint?
    ) throws {}
    package var checkpointWriter: CheckpointWriter { result.writer }
    package var fixedTensors: [(name: String, tensor: Tensor)] { [] }

    /// Writes a batch to the first images of `images` (B, C, height, width), normalized; `body` may change each then.
    func write(
        _ batch: Batch, into images: Tensor, _ body: (Int, inout MutableSpan<Float>) -> Void = { _, _ in }
    ) {
        parameters.engine.fillRows(of: images.rows(0..<batch.images.count)) { slot, values in
            batch.write(slot, into: &values)
            body(slot, &values)
        }
    }
}

/// What a model starts from.
package enum TrainingStart {
    case random
    case checkpoint(Checkpoint)
    /// The directory of a run's checkpoint.
    case resumed(String)

    var checkpoint: Checkpoint? { if case .checkpoint(let checkpoint) = self { checkpoint } else { nil } }
}

/// The methods that commands offer.
package enum TrainingMethods {
    /// Those of `vit pretrain`, the default first.
    package static let pretraining: [any TrainingMethod.Type] = [MAE.self, Rotation.self]
    /// That of `vit finetune`.
    package static let finetuning: [any TrainingMethod.Type] = [Classification.self]
}
