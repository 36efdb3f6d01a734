import Communication
import Datasets
import Randomness
import Support

extension TrainingOptions {
    /// Refuses a number of processes that cannot share the passes of a step equally.
    func checkProcesses(of run: RunSettings) throws(TrainingError) {
        guard run.accumulate % processCount != 0 else { return }
        throw TrainingError(
            .usage,
            "\(processCount) processes cannot share the \(run.accumulate == 1 ? "1 forward pass" : "\(run.accumulate) forward passes") of a step; "
                + "expected \(run.processCountsText) of them")
    }
}

extension TrainingOptions {
    /// Refuses to begin if processes see different images or were given different options.
    func checkAgreement(
        _ settings: TrainingSettings<Own>, _ dataset: ImageDataset, among communicator: any Communicator
    ) throws(TrainingError) {
        if communicator.isAlone { return }
        var compared = settings
        compared.run.command = ""
        var (asked, images) = (StableHash(), StableHash())
        asked.combine(method.json(compared).text().utf8)
        for part in ImageDataset.Part.allCases {
            for sample in dataset.samples(part) {
                images.combine(sample.path.utf8)
                images.combine([0])
                images.combine(UInt64(bitPattern: Int64(sample.label ?? -1)))
            }
        }
        let all = communicator.gather(littleEndian(asked.value) + littleEndian(images.value))
        for (rank, digest) in all.enumerated() {
            if digest.suffix(8) != all[0].suffix(8) {
                throw TrainingError(
                    .malformed,
                    "\(data): process \(rank) sees other images there than process 0; expected the same on every machine"
                )
            }
            if digest != all[0] {
                throw TrainingError(
                    .usage,
                    "process \(rank) was started with other options than process 0; expected the same command, or "
                        + "\(Launch.libraryVariable)=none to run each of them alone")
            }
        }
    }
}

extension RunSettings {
    /// The numbers of processes that can share the passes of a step, which all give the same weights.
    public var processCounts: [Int] { SumTree(count: accumulate).processCounts }

    /// The same in words.
    var processCountsText: String {
        let counts = processCounts.map(String.init)
        guard counts.count > 1, let last = counts.last else { return counts.joined() }
        return counts.dropLast().joined(separator: ", ") + " or " + last
    }
}
