import Datasets
import Models
import Support

extension TrainingRun {
    /// Trains to the end, or until the observer asks to stop.
    public func train() throws -> RunResult {
        let run = settings.run
        if state.step >= run.steps {
            try finish()
            observer.note("\(directory.path): all \(state.step) steps are done")
            return result
        }
        let loader = try method.loader(
            dataset, from: state.step, unreadable: state.unreadable, report: observer.unreadable)
        var pace = Pace(imagesPerStep: run.effectiveBatch)
        while state.step < run.steps {
            if observer.shouldStop() {
                // With no step done there is nothing that a resumed run could not begin again.
                if state.step > 0 {
                    try checkPlace()
                    try saveCheckpoint()
                }
                return result
            }
            try takeStep(loader, &pace)
        }
        try finish()
        return result
    }

    private var result: RunResult {
        RunResult(
            step: state.step, isComplete: state.step >= settings.run.steps,
            unreadable: state.unreadable + heldOutUnreadable)
    }

    private func takeStep(_ loader: BatchLoader, _ pace: inout Pace) throws {
        let run = settings.run
        let outcome = try method.step(state.step) { try loader.next() }
        guard outcome.isFinite else { throw divergence(outcome) }
        state.step += 1
        state.lossSum += outcome.loss
        state.lossCount += 1
        state.unreadable = loader.unreadable
        pace.step()
        let isLast = state.step == run.steps
        let isCheckpoint = isLast || state.step % run.checkpointEvery == 0
        if isLast || state.step % run.logEvery == 0 { try log(outcome, loader.plan, &pace) }
        let progress = RunProgress(
            step: state.step, totalSteps: run.steps, stepsPerEpoch: loader.plan.stepsPerEpoch, loss: outcome.loss,
            heldOut: heldOut, seconds: pace.seconds, imagesPerSecond: pace.imagesPerSecond,
            secondsLeft: pace.secondsPerStep * Double(run.steps - state.step))
        observer.progress(progress)
        let isMeasured =
            switch type(of: method).measures {
            case .atCheckpoints: isCheckpoint
            case .afterEpochs: isLast || state.step % loader.plan.stepsPerEpoch == 0
            }
        if isMeasured || isCheckpoint { try checkPlace() }
        let isBest = isMeasured ? try measure(epoch: progress.epoch) : false
        // Without measurements to choose by, the last model is the result. A checkpoint that says that all steps are done
        // comes after it, so that a run that was made longer never ends with the result of the shorter one.
        if isLast, state.best == nil { try export() }
        if isCheckpoint || isBest { try saveCheckpoint() }
    }

    private func log(_ outcome: StepOutcome, _ plan: EpochPlan, _ pace: inout Pace) throws {
        try metrics.append(
            MetricsLine(
                step: state.step,
                values: [
                    ("epoch", Double(state.step) / Double(plan.stepsPerEpoch)),
                    ("loss", state.lossSum / Double(state.lossCount)), ("lr", outcome.rate),
                    ("gradient_norm", outcome.gradientNorm), ("images_per_second", pace.lap()),
                ]))
        state.lossSum = 0
        state.lossCount = 0
    }

    /// Measures the model on held-out images, and keeps it as the result where it is the best so far.
    ///
    /// - Returns: whether it is the best so far, which deserves a checkpoint.
    private func measure(epoch: Double) throws -> Bool {
        guard let measurement = try method.measure(step: state.step) else { return false }
        try report(measurement.unreadable)
        for file in measurement.damaged where !heldOutDamaged.contains(file) {
            heldOutDamaged.append(file)
            observer.unreadable(file)
        }
        if !measurement.values.isEmpty {
            heldOut = measurement.summary
            try metrics.append(MetricsLine(step: state.step, values: measurement.values))
        }
        let isBest = measurement.score.map { $0.isBetter(than: state.best) } ?? false
        if isBest { state.best = measurement.score }
        if isBest || measurement.score == nil { try measurement.writeFiles(directory) }
        if isBest { try export() }
        if let note = measurement.note {
            observer.note("epoch \(fixed(epoch, 1)): \(note)" + (isBest ? ", best so far" : ""))
        }
        try writeReport()
        return isBest
    }

    /// Names unreadable files outside of the training part, each once.
    private func report(_ unreadable: [BatchLoader.Unreadable]) throws(TrainingError) {
        for file in unreadable where !heldOutUnreadable.contains(file) {
            heldOutUnreadable.append(file)
            if settings.run.isStrict { throw TrainingError(.malformed, "\(file.path): \(file.reason)") }
            observer.unreadable(file)
        }
    }

    /// Leaves the files of a run whose steps are all done; also where they were done before.
    private func finish() throws {
        try directory.keepCheckpoints(settings.run.keep, best: state.best?.step)
        try writeReport()
        guard try Files.kind(of: directory.model) != .directory else { return }
        if let best = state.best { try method.parameters.restore(from: directory.checkpoint(best.step)) }
        try export()
    }

    private func writeReport() throws {
        let lines = RunReport.Lines(metrics.curves)
        let imagesPerStep = settings.run.effectiveBatch
        var report = RunReport(
            title: Files.name(of: directory.path),
            progress: "step \(state.step) of \(settings.run.steps), \(imagesPerStep) images per step; "
                + "\(dataset.training.count) images to train on, \(dataset.validation.count) held out"
                + (lines.pace(imagesPerStep: imagesPerStep).map { "; \($0)" } ?? ""),
            settings: type(of: method).usedSettings(settings))
        report.command = settings.run.command
        try method.describe(&report, metrics: lines, directory: directory, step: state.step)
        report.charts += lines.rateAndNorm
        try Files.write(report.html, to: directory.report)
    }

    private func saveCheckpoint() throws {
        if try Files.kind(of: directory.checkpoint(state.step)) != .directory { try save() }
        try directory.keepCheckpoints(settings.run.keep, best: state.best?.step)
    }

    private func divergence(_ outcome: StepOutcome) -> TrainingError {
        let what =
            outcome.loss.isFinite ? "the gradient norm is \(outcome.gradientNorm)" : "the loss is \(outcome.loss)"
        let good = (try? directory.checkpointSteps)?.last.map {
            "the last good checkpoint is \(directory.checkpoint($0))"
        }
        return TrainingError(
            .malformed,
            "\(directory.path): \(what) in step \(state.step + 1), whose batch has the files "
                + "\(outcome.paths.joined(separator: ", ")); \(good ?? "there is no checkpoint yet"); a smaller --blr, a "
                + "longer warm-up or --clip 1 often helps")
    }
}

extension TrainingRun {
    /// Writes what a run needs to continue from here.
    private func save() throws {
        let parameters = method.parameters
        try metrics.synchronize()
        try OutputDirectory.write(directory.checkpoint(state.step), existing: .replace) { directory in
            try TensorArchive.write(
                method.fixedTensors + parameters.named(parameters.store.weights),
                to: Files.join(directory, "model.safetensors"))
            try TensorArchive.write(parameters.namedMoments, to: Files.join(directory, "optimizer.safetensors"))
            try Files.write(state.json.text() + "\n", to: Files.join(directory, "state.json"))
            // Heads and preprocessing do not show in the tensors, for those who open the checkpoint as a model.
            try method.checkpointWriter.writeConfiguration(to: directory)
        }
    }

    /// Writes the result of the run as a checkpoint that others read.
    private func export() throws {
        let (writer, layout) = method.result
        let named = method.fixedTensors + method.parameters.named(method.parameters.result)
        let tensors = Dictionary(uniqueKeysWithValues: named.map { ($0.name, $0.tensor) })
        try OutputDirectory.write(directory.model, existing: .replace) { directory in
            try writer.write(to: directory, as: layout) { (name) throws(CheckpointError) in
                guard let tensor = tensors[name] else {
                    throw CheckpointError(.malformed, directory, "the model has no tensor \(name)")
                }
                return tensor
            }
        }
    }
}
