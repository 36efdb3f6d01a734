import Datasets
import Support

/// When a method measures its model on held-out images.
package enum MeasuringTime { case atCheckpoints, afterEpochs }

/// What a method measured on held-out images.
package struct Measurement {
    /// For the metrics, by their names there.
    var values: [(name: String, value: Double)] = []
    /// How good the model is, where the best one becomes the result; nil: the last one becomes it.
    var score: RunState.Best?
    /// A sentence for people without its period.
    var note: String?
    /// The accuracy in a few words, or the loss where there is none.
    var summary: String? {
        func value(_ name: String) -> Double? { values.first { $0.name == "validation_\(name)" }?.value }
        return value("accuracy").map { "held-out accuracy \(fixed(100 * $0, 2)) %" }
            ?? value("loss").map { "held-out loss \(fixed($0, 4))" }
    }
    /// What could not be read, and does not count.
    var unreadable: [BatchLoader.Unreadable] = []
    /// What was read in spite of damage.
    var damaged: [BatchLoader.Unreadable] = []
    /// Writes what the report shows of it; of models with a score, those of the best alone are kept.
    var writeFiles: (RunDirectory) throws -> Void = { _ in }
}
