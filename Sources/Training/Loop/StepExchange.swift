import Communication
import Datasets
import Support

/// What processes exchange in every step before gradients are added: losses, unreadable files, and whether one of them
/// was asked to stop. Afterwards all have the same information.
final class StepExchange {
    private let communicator: any Communicator
    /// Whether this process was asked to stop.
    private let shouldStop: () -> Bool
    /// Reports a file; in process 0 alone.
    private let report: (BatchLoader.Unreadable) -> Void
    /// Files reported in this process since the last step.
    private var met: [BatchLoader.Unreadable] = []
    private var known: Set<BytewiseText>
    /// Unreadable files of all processes, in the order in which one process would have met them.
    private(set) var unreadable: [BatchLoader.Unreadable]
    private var isStopping = false

    init(
        _ communicator: any Communicator, unreadable: [BatchLoader.Unreadable] = [],
        shouldStop: @escaping () -> Bool = { false }, report: @escaping (BatchLoader.Unreadable) -> Void
    ) {
        (self.communicator, self.unreadable) = (communicator, unreadable)
        (self.shouldStop, self.report) = (shouldStop, report)
        known = Set(unreadable.map { BytewiseText($0.path) })
    }

    /// Notes a file that the loader reports.
    func meet(_ file: BatchLoader.Unreadable) { communicator.isAlone ? report(file) : met.append(file) }

    /// Whether to stop before the next step; the same in all processes.
    var stops: Bool { communicator.isAlone ? shouldStop() : isStopping }

    /// Exchanges the losses of this process's passes for those of all, in order; `loader` names what could not be read.
    func run(_ losses: [Double], _ loader: BatchLoader) -> [Double] {
        if communicator.isAlone {
            unreadable = loader.unreadable
            return losses
        }
        var message = PackedMessage()
        message.append(shouldStop() ? 1 : 0)
        message.append(losses.count)
        for loss in losses { message.append(loss) }
        let lost = met.isEmpty ? [] : Set(loader.unreadable.map { BytewiseText($0.path) })
        message.append(met.count)
        for file in met {
            message.append(file.path)
            message.append(file.reason)
            message.append(lost.contains(BytewiseText(file.path)) ? 1 : 0)
        }
        met = []
        var all = PackedMessage()
        for bytes in communicator.gather(message.bytes) { all.append(bytes: bytes) }
        all = PackedMessage(communicator.broadcast(all.bytes))
        isStopping = false
        var shared: [Double] = []
        while !all.isAtEnd {
            var part = PackedMessage(all.content())
            read(&part, &shared)
        }
        return shared
    }

    /// Reads the message of one process.
    private func read(_ part: inout PackedMessage, _ losses: inout [Double]) {
        if part.integer() == 1 { isStopping = true }
        for _ in 0..<part.integer() { losses.append(part.double()) }
        for _ in 0..<part.integer() {
            let file = BatchLoader.Unreadable(path: part.text(), reason: part.text())
            let isLost = part.integer() == 1
            guard known.insert(BytewiseText(file.path)).inserted else { continue }
            if isLost { unreadable.append(file) }
            if communicator.isFirst { report(file) }
        }
    }
}
