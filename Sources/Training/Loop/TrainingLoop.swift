import Communication
import Datasets
import Models
import Support

extension TrainingRun {
    /// Trains to the end, or until the observer asks to stop.
    public func train() throws -> RunResult {
        let run = settings.run
        if state.step >= run.steps {
            if communicator.isFirst { try finish() }
            observer.note("\(directory.path): all \(state.step) steps are done")
            return result
        }
        let exchange = StepExchange(
            communicator, unreadable: state.unreadable, shouldStop: observer.shouldStop, report: observer.unreadable)
        let loader = try method.loader(
            dataset, from: state.step, unreadable: state.unreadable, among: communicator
        ) { exchange.meet($0) }
        let sums = GradientSums(method.parameters, passCount: run.accumulate, communicator: communicator)
        var pace = Pace(imagesPerStep: run.effectiveBatch)
        while state.step < run.steps {
            if exchange.stops {
                // With no step done there is nothing that a resumed run could not begin again.
                if state.step > 0, communicator.isFirst {
                    try checkPlace()
                    try saveCheckpoint()
                }
                return result
            }
            let outcome = try method.step(state.step, loader, sums: sums, exchange: exchange)
            guard outcome.isFinite else { throw divergence(outcome) }
            state.step += 1
            state.unreadable = exchange.unreadable
            pace.step()
            let moment = Moment(
                step: state.step, steps: run.steps, checkpointEvery: run.checkpointEvery, plan: loader.plan,
                measures: type(of: method).measures)
            if communicator.isFirst { try record(outcome, loader.plan, moment, &pace) }
            try measure(at: moment, loader.plan)
        }
        if communicator.isFirst { try finish() }
        return result
    }

    private var result: RunResult {
        RunResult(
            step: state.step, isComplete: state.step >= settings.run.steps,
            unreadable: state.unreadable + heldOutUnreadable)
    }

    /// Records a step in metrics and progress.
    private func record(_ outcome: StepOutcome, _ plan: EpochPlan, _ moment: Moment, _ pace: inout Pace) throws {
        let run = settings.run
        state.lossSum += outcome.loss
        state.lossCount += 1
        if moment.isLast || state.step % run.logEvery == 0 { try log(outcome, plan, &pace) }
        observer.progress(
            RunProgress(
                step: state.step, totalSteps: run.steps, stepsPerEpoch: plan.stepsPerEpoch, loss: outcome.loss,
                heldOut: heldOut, seconds: pace.seconds, imagesPerSecond: pace.imagesPerSecond,
                secondsLeft: pace.secondsPerStep * Double(run.steps - state.step)))
    }

    /// Measures the model and writes checkpoint and result, where it is time for them.
    private func measure(at moment: Moment, _ plan: EpochPlan) throws {
        if moment.isMeasured || moment.isCheckpoint { try checkPlace() }
        let measurement = moment.isMeasured ? try method.measure(step: state.step, among: communicator) : nil
        guard communicator.isFirst else { return }
        let epoch = Double(state.step) / Double(max(1, plan.stepsPerEpoch))
        let isBest = try measurement.map { try take($0, epoch: epoch) } ?? false
        // Without measurements to choose by, the last model is the result. A checkpoint that says that all steps are done
        // comes after it, so that a run that was made longer never ends with the result of the shorter one.
        if moment.isLast, state.best == nil { try export() }
        if moment.isCheckpoint || isBest { try saveCheckpoint() }
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

    /// Records what was measured on held-out images, and keeps the model as the result where it is the best so far.
    ///
    /// - Returns: whether it is the best so far, which deserves a checkpoint.
    private func take(_ measurement: Measurement, epoch: Double) throws -> Bool {
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
        let paths = communicator.gather(outcome.paths)
        let what =
            outcome.loss.isFinite ? "the gradient norm is \(outcome.gradientNorm)" : "the loss is \(outcome.loss)"
        let good = (try? directory.checkpointSteps)?.last.map {
            "the last good checkpoint is \(directory.checkpoint($0))"
        }
        return TrainingError(
            .malformed,
            "\(directory.path): \(what) in step \(state.step + 1), whose batch has the files "
                + "\(paths.joined(separator: ", ")); \(good ?? "there is no checkpoint yet"); a smaller --blr, a "
                + "longer warm-up or --clip 1 often helps")
    }
}

/// What is due after a step.
private struct Moment {
    let isLast: Bool
    let isCheckpoint: Bool
    let isMeasured: Bool

    init(step: Int, steps: Int, checkpointEvery: Int, plan: EpochPlan, measures: MeasuringTime) {
        isLast = step == steps
        isCheckpoint = isLast || step % checkpointEvery == 0
        isMeasured =
            switch measures {
            case .atCheckpoints: isCheckpoint
            case .afterEpochs: isLast || step % plan.stepsPerEpoch == 0
            }
    }
}

extension Communicator {
    /// The names of all processes in the first, and each one's own in the others.
    fileprivate func gather(_ names: [String]) -> [String] {
        if isAlone { return names }
        var message = PackedMessage()
        for name in names { message.append(name) }
        let all = gather(message.bytes)
        guard isFirst else { return names }
        return all.flatMap { bytes in
            var (message, names) = (PackedMessage(bytes), [String]())
            while !message.isAtEnd { names.append(message.text()) }
            return names
        }
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
