import Communication
import Compute
import LibC
import SwiftViT
import Support

/// The processes that a launcher started together with this one.
enum Processes {
    /// Whether this is process 0 or the only process, which writes files and prints.
    static var isFirst: Bool { (Launch()?.rank ?? 0) == 0 }

    /// Runs a command in all processes, and ends them together.
    ///
    /// Started alone, the process does the work by itself, and nothing is loaded.
    static func run(_ body: (any Communicator) throws -> Void) throws {
        guard let launch = Launch() else { return try body(SingleProcess()) }
        let communicator = try join(launch)
        do {
            try body(communicator)
        } catch {
            let failure = CommandFailure(error) ?? CommandFailure(.usage, Vit.message(for: error))
            guard failure.status.isOutcome else {
                communicator.fail(failure.message, code: failure.status.rawValue)
            }
            if communicator.isFirst, let message = failure.message { StandardError.report("Error: \(message)") }
            exit(communicator.finish(failure.status.rawValue))
        }
        let code = communicator.finish(0)
        if code != 0 { exit(code) }
    }

    /// The same, with a command's progress silenced by its option `quiet` in all processes but the first.
    static func run<Command>(
        _ command: Command, silencing quiet: WritableKeyPath<Command, Bool>,
        _ body: (Command, any Communicator) throws -> Void
    ) throws {
        try run { communicator in
            var command = command
            if !communicator.isFirst { command[keyPath: quiet] = true }
            try body(command, communicator)
        }
    }

    private static func join(_ launch: Launch) throws -> any Communicator {
        do throws(CommunicationError) {
            return try MPICommunicator(launch) { StandardError.report("Error: \($0)") }
        } catch {
            throw CommandFailure(.unavailable, error.description)
        }
    }

    /// Waits before this process reports a failure: process 0 most likely reports the same and ends all.
    static func waitForFirst() {
        if !isFirst { sleep(5) }
    }

    /// The threads of this process where nothing else is asked for: its share of the machine's cores where the launcher did
    /// not give it some of its own.
    static func threads(_ asked: Int?) -> Int? {
        guard asked == nil, Launch() != nil else { return asked }
        let cores = Engines.availableCores
        let local = ["OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"].compactMap { Environment.value($0) }.first
        guard let neighbors = local.flatMap({ Int($0) }), cores == sysconf(Int32(_SC_NPROCESSORS_ONLN)) else {
            return nil
        }
        return max(1, cores / max(1, neighbors))
    }
}

extension ExitStatus {
    /// Whether the work was done, or ended as asked: then all processes end with it, and none has to be stopped.
    fileprivate var isOutcome: Bool {
        switch self {
        case .someInputsFailed, .interrupted, .terminated: true
        default: false
        }
    }
}
