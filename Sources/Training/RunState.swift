import Checkpoints
import Datasets

/// What a run remembers beside its tensors: `state.json` of a checkpoint.
struct RunState {
    /// Steps done.
    var step = 0
    /// The losses since the last line of metrics.
    var lossSum = 0.0
    var lossCount = 0
    /// Files that were named as unreadable.
    var unreadable: [BatchLoader.Unreadable] = []
    /// The data as they were.
    var fingerprint: DataFingerprint

    init(fingerprint: DataFingerprint) { self.fingerprint = fingerprint }

    var json: JSON {
        .object([
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
        ])
    }

    init(json: JSON, path: String) throws(TrainingError) {
        guard let step = json["step"]?.integer, step >= 0, let lossSum = json["loss_sum"]?.double,
            let lossCount = json["loss_count"]?.integer, let unreadable = json["unreadable"]?.elements,
            let data = json["data"], let images = data["images"]?.integer, let bytes = data["bytes"]?.integer,
            let content = data["content"]?.string, let dates = data["dates"]?.string
        else {
            throw TrainingError(
                .malformed, "\(path): lacks what a run resumes from; expected the file as it was written")
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
