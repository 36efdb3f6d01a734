import Datasets
import Models
import Support

/// What a run begins with.
package struct ResolvedRun<Own: Sendable & Equatable> {
    package let settings: TrainingSettings<Own>
    package let dataset: ImageDataset
    /// What its weights start from.
    package let checkpoint: Checkpoint?
    /// How data and options were read, a sentence each.
    package var notes: [String]
}

extension TrainingOptions {
    /// The settings of a run that is resumed: those recorded, with more steps where more are asked for and with changes
    /// that leave the result alone; refuses others.
    ///
    /// - Parameter note: takes a sentence where the run becomes longer.
    func resolve(
        resuming recorded: TrainingSettings<Own>, in directory: RunDirectory, dataset: ImageDataset,
        allowsChangedData: Bool, note: (String) -> Void
    ) throws -> TrainingSettings<Own> {
        try check()
        try refuseShape(of: recorded)
        var wanted = recorded
        try apply(to: &wanted, dataset)
        wanted.run.command = recorded.run.command
        if allowsChangedData {
            // Epochs of other data have other lengths; the run keeps the steps that it was to have.
            if !given.contains("steps") { wanted.run.steps = recorded.run.steps }
            wanted.run.warmupSteps = recorded.run.warmupSteps
        }
        try finish(&wanted)
        for option in method.options where option.changesResult && option.key != nil {
            if option.path == \Settings.run.steps, wanted.run.steps > recorded.run.steps { continue }
            if option.encode(recorded) != option.encode(wanted) {
                throw TrainingError(
                    .usage,
                    "\(directory.path): the run began with " + difference(option, recorded, wanted, dataset)
                        + ", or name another directory for a new run")
            }
        }
        if wanted.run.steps > recorded.run.steps {
            let stepsPerEpoch = Double(max(1, dataset.training.count / wanted.run.effectiveBatch))
            func epochs(_ steps: Int) -> String { fixed(Double(steps) / stepsPerEpoch, 1) }
            note(
                "\(directory.path): the run becomes longer, \(wanted.run.steps) steps (\(epochs(wanted.run.steps)) epochs) "
                    + "instead of \(recorded.run.steps) (\(epochs(recorded.run.steps))); from here on the learning rate "
                    + "follows the schedule of the new length")
        }
        return wanted
    }

    /// How `wanted` differs from the run in `option`, and what to do, in terms of the option that was asked for.
    private func difference(
        _ option: TrainingOption<Own>, _ recorded: Settings, _ wanted: Settings, _ dataset: ImageDataset
    ) -> String {
        func value(_ option: TrainingOption<Own>, _ settings: Settings) -> String {
            option.text(settings) ?? option.encode(settings).text(compact: true)
        }
        let culprit = method.options.first { other in
            guard given.contains(other.name) else { return false }
            var changed = recorded
            take(other, into: &changed)
            changed.applyEpochs([other.name], imageCount: dataset.training.count)
            return option.encode(changed) != option.encode(recorded)
        }
        if culprit?.path == \Settings.run.accumulate, processCount > 1 {
            return
                "\(recorded.run.accumulate) forward passes a step, not --accumulate \(settings.run.accumulate) on each of "
                + "\(processCount) processes; leave the option out"
        }
        guard let culprit else {
            return
                "\(option.key ?? option.name) \(value(option, recorded)), not \(value(option, wanted)); restore the data"
        }
        if culprit.name == option.name {
            return "--\(option.name) \(value(option, recorded)), not \(value(option, settings)); leave the option out"
        }
        let name = option.isOffered(by: method.defaults) ? "--\(option.name)" : option.name
        return "\(name) \(value(option, recorded)), and --\(culprit.name) \(value(culprit, settings)) makes it "
            + "\(value(option, wanted)); leave --\(culprit.name) out"
    }
}
