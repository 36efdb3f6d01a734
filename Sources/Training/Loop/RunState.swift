import Communication
import Datasets
import Models
import Support

/// The state of a run beside its tensors: `state.json` of a checkpoint.
package struct RunState {
    /// Steps done.
    var step = 0
    /// The losses since the last line of metrics.
    var lossSum = 0.0
    var lossCount = 0
    /// Files that were named as unreadable.
    var unreadable: [BatchLoader.Unreadable] = []
    /// The best model so far, where models are scored.
    var best: Best?
    /// The data as they were.
    var fingerprint: DataFingerprint

    /// The step of the best model, and its score.
    package struct Best: Equatable {
        let step: Int
        /// What the models are compared by; in `state.json` it is the accuracy, as earlier versions wrote it.
        let score: Double
        let loss: Double

        /// A higher score, or the same with a smaller loss.
        func isBetter(than other: Best?) -> Bool {
            guard let other else { return true }
            return (score, -loss) > (other.score, -other.loss)
        }
    }

    init(fingerprint: DataFingerprint) { self.fingerprint = fingerprint }

    package var json: JSON {
        .object(
            [
                JSON.Member("step", .integer(step)),
                JSON.Member("loss_sum", .number(lossSum)),
                JSON.Member("loss_count", .integer(lossCount)),
                JSON.Member(
                    "unreadable",
                    .array(
                        unreadable.map {
                            .object([JSON.Member("path", .string($0.path)), JSON.Member("reason", .string($0.reason))])
                        })),
                JSON.Member(
                    "data",
                    .object([
                        JSON.Member("images", .integer(fingerprint.images)),
                        JSON.Member("bytes", .integer(fingerprint.bytes)),
                        JSON.Member("content", .string(fingerprint.content)),
                        JSON.Member("dates", .string(fingerprint.dates)),
                    ])),
            ] + bestMembers)
    }

    private var bestMembers: [JSON.Member] {
        guard let best else { return [] }
        return [
            JSON.Member(
                "best",
                .object([
                    JSON.Member("step", .integer(best.step)), JSON.Member("accuracy", .number(best.score)),
                    JSON.Member("loss", .number(best.loss)),
                ]))
        ]
    }

    /// Reads the state of a checkpoint.
    package init(in checkpoint: String) throws {
        let path = Files.join(checkpoint, "state.json")
        try self.init(JSON.file(path), path: path)
    }

    /// The state that process 0 makes, in all processes.
    static func shared(among communicator: any Communicator, _ make: () throws -> RunState) throws -> RunState {
        if communicator.isAlone { return try make() }
        let own = communicator.isFirst ? try make() : nil
        let bytes = communicator.broadcast(own.map { Array($0.json.text().utf8) } ?? [])
        return try own ?? RunState(JSON.parse(bytes), path: "process 0")
    }

    private init(_ json: JSON, path: String) throws {
        guard let step = json["step"]?.integer, step >= 0, let lossSum = json["loss_sum"]?.double,
            let lossCount = json["loss_count"]?.integer, (0...step).contains(lossCount),
            let unreadable = json["unreadable"]?.elements,
            let data = json["data"], let images = data["images"]?.integer, let bytes = data["bytes"]?.integer,
            let content = data["content"]?.string, let dates = data["dates"]?.string
        else {
            throw TrainingError(
                .malformed, "\(path): is not the state of a run; expected the file as the run wrote it")
        }
        if let best = json["best"], let step = best["step"]?.integer, let accuracy = best["accuracy"]?.double,
            let loss = best["loss"]?.double
        {
            self.best = Best(step: step, score: accuracy, loss: loss)
        }
        self.step = step
        self.lossSum = lossSum
        self.lossCount = lossCount
        self.unreadable = unreadable.compactMap { entry in
            guard let path = entry["path"]?.string, let reason = entry["reason"]?.string else { return nil }
            return BatchLoader.Unreadable(path: path, reason: reason)
        }
        fingerprint = DataFingerprint(images: images, bytes: bytes, content: content, dates: dates)
    }
}
