import Compute
import Datasets
import Hub
import LibC
import Models
import SwiftViT

/// Exit codes: 0, 1, and those of sysexits.h.
enum ExitStatus: Int32 {
    case someInputsFailed = 1
    case usage = 64
    case malformedData = 65
    case noSuchInput = 66
    /// A launcher started several processes, and there is no MPI library to join them by.
    case unavailable = 69
    case cannotCreateOutput = 73
    case inputOutput = 74
    case interrupted = 130
    /// Standard output was closed by its reader; the process ends as SIGPIPE would have ended it.
    case brokenPipe = 141
    case terminated = 143

    func end() -> Never {
        if self == .brokenPipe {
            signal(SIGPIPE, SIG_DFL)
            raise(SIGPIPE)
        }
        exit(rawValue)
    }
}

/// Why a command ends early: the message to print and the exit code.
struct CommandFailure: Error {
    let status: ExitStatus
    /// One sentence; nil if everything was printed already.
    let message: String?

    init(_ status: ExitStatus, _ message: String? = nil) {
        self.status = status
        self.message = message
    }

    /// The failure that a library error stands for; nil for the argument parser's own errors.
    init?(_ error: any Error) {
        switch error {
        case let failure as CommandFailure: self = failure
        case let error as InputError: self.init(ExitStatus(error.kind), error.description)
        case let error as FileError: self.init(ExitStatus(error.kind), error.description)
        case let error as HubError: self.init(ExitStatus(error.kind), error.description)
        case let error as MemoryShortage: self.init(.usage, error.description)
        case let error as InstructionSetError: self.init(.usage, error.description)
        case let error as TrainingError: self.init(ExitStatus(error.kind), error.description)
        case let error as ModelUseError:
            switch error {
            case .unfitting, .noClasses: self.init(.usage, error.description)
            case .noHead, .noDecoder, .noTextTower: self.init(.malformedData, error.description)
            }
        default: return nil
        }
    }
}

extension ExitStatus {
    init(_ kind: InputError.Kind) {
        self =
            switch kind {
            case .usage: .usage
            case .noSuchInput, .noImages: .noSuchInput
            case .unreadable: .inputOutput
            case .malformed: .malformedData
            }
    }

    init(_ kind: TrainingError.Kind) {
        self =
            switch kind {
            case .usage: .usage
            case .malformed: .malformedData
            case .missing: .noSuchInput
            case .cannotCreate: .cannotCreateOutput
            case .inputOutput: .inputOutput
            }
    }

    init(_ kind: HubError.Kind) {
        self =
            switch kind {
            case .usage: .usage
            case .missing: .noSuchInput
            case .malformed: .malformedData
            case .inputOutput: .inputOutput
            case .cannotCreate: .cannotCreateOutput
            }
    }

    init(_ kind: FileError.Kind) {
        self =
            switch kind {
            case .malformed: .malformedData
            case .missing: .noSuchInput
            case .inputOutput: .inputOutput
            case .cannotCreate: .cannotCreateOutput
            }
    }
}
