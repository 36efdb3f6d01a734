import Communication
import Datasets
import Imaging

/// Held-out images through a classifier, shared out to all processes and gathered in order in process 0.
struct HeldOutLogits {
    let samples: [ImageDataset.Sample]
    /// Keeps images decoded between measurements.
    let store: ImageStore
    let batchSize: Int
    let preprocessing: Preprocessing
    let threads: Int
    let communicator: any Communicator

    /// What could not be read, and what was read in spite of damage.
    struct Problems {
        var unreadable: [BatchLoader.Unreadable] = []
        var damaged: [BatchLoader.Unreadable] = []
    }

    /// Passes the logits of every image that can be read to `body`, in order; nil in other processes than the first.
    ///
    /// - Parameter compute: the logits of a batch, as many for each of its images.
    func forEach(
        computing compute: (Batch) -> [Float], _ body: (_ logits: ArraySlice<Float>, ImageDataset.Sample) -> Void
    ) -> Problems? {
        var (own, problems) = (PackedMessage(), Problems())
        let (rank, count) = (communicator.rank, communicator.count)
        let loader = SequentialLoader(
            samples, in: store, range: samples.count * rank / count..<samples.count * (rank + 1) / count,
            batchSize: batchSize, preprocessing: preprocessing, threads: threads)
        while let batch = loader.next() {
            let logits = compute(batch)
            if communicator.isFirst {
                pass(logits, batch.indices, to: body)
            } else {
                own.append(1)
                own.append(logits)
                own.append(batch.indices.count)
                for index in batch.indices { own.append(index) }
            }
        }
        guard communicator.isFirst else {
            own.append(0)
            for files in [loader.unreadable, loader.damaged] { own.append(files) }
            communicator.send(own.bytes, to: 0)
            return nil
        }
        problems = Problems(unreadable: loader.unreadable, damaged: loader.damaged)
        for peer in 1..<max(1, count) {
            var message = PackedMessage(communicator.receive(from: peer))
            while message.integer() == 1 {
                let logits = message.floats()
                pass(logits, (0..<message.integer()).map { _ in message.integer() }, to: body)
            }
            problems.unreadable += message.files()
            problems.damaged += message.files()
        }
        return problems
    }

    private func pass(
        _ logits: [Float], _ indices: [Int], to body: (ArraySlice<Float>, ImageDataset.Sample) -> Void
    ) {
        let width = logits.count / max(1, indices.count)
        for (row, index) in indices.enumerated() { body(logits[row * width..<(row + 1) * width], samples[index]) }
    }
}

extension PackedMessage {
    fileprivate mutating func append(_ files: [BatchLoader.Unreadable]) {
        append(files.count)
        for file in files {
            append(file.path)
            append(file.reason)
        }
    }

    fileprivate mutating func files() -> [BatchLoader.Unreadable] {
        (0..<integer()).map { _ in BatchLoader.Unreadable(path: text(), reason: text()) }
    }
}
