import LibC
import Support

/// A request to a server, and its answer as it comes: made by the program `curl`, which knows the network, TLS and proxies.
///
/// Redirects are not followed here, so that whoever does can keep a token from other servers.
final class CurlTransfer {
    struct Request {
        var address: WebAddress
        /// Whether the headers alone are wanted.
        var isHead = false
        /// The place of the first byte that is wanted.
        var start = 0
        var token: String?
        var connectTimeout: Int
        var stallTimeout: Int
        /// Seconds for all of it; nil: as long as bytes come.
        var timeout: Int?
    }

    /// Why there is no answer, or not all of it.
    enum Failure: Error {
        /// The program cannot be started.
        case start(SystemError)
        /// The answer is none of HTTP.
        case malformed
        /// The program's exit code, and its own words.
        case curl(Int32, String)
    }

    let head: ResponseHead
    private let process: ChildProcess
    /// What came of the body together with the head.
    private var rest: [UInt8]

    /// Starts the request and waits for the head of the answer.
    init(_ request: Request) throws(Failure) {
        do throws(SystemError) {
            // The first option keeps it from reading settings that may change what it prints or sends.
            process = try ChildProcess(
                "curl", ["--disable", "--config", "-"], input: Array(Self.configuration(request).utf8),
                hiding: ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"])
        } catch {
            throw .start(error)
        }
        var bytes: [UInt8] = []
        while true {
            do throws(ResponseHead.Malformed) {
                if let head = try ResponseHead.take(from: &bytes) {
                    self.head = head
                    rest = bytes
                    return
                }
            } catch {
                throw .malformed
            }
            let piece = try Self.read(process)
            if piece.isEmpty {
                try Self.check(process)
                throw .malformed
            }
            bytes += piece
        }
    }

    /// The next bytes of the body; none at its end.
    func next() throws(Failure) -> [UInt8] {
        if !rest.isEmpty {
            defer { rest = [] }
            return rest
        }
        let piece = try Self.read(process)
        if piece.isEmpty { try Self.check(process) }
        return piece
    }

    private static func read(_ process: ChildProcess) throws(Failure) -> [UInt8] {
        do throws(SystemError) {
            return try process.read()
        } catch {
            throw .curl(0, error.description)
        }
    }

    private static func check(_ process: ChildProcess) throws(Failure) {
        let text = process.errorText()
        let code = process.wait()
        if code != 0 { throw .curl(code, text) }
    }

    /// The options, on standard input: the command line of a process is for everybody to see, and a token is not.
    private static func configuration(_ request: Request) -> String {
        var lines = [
            "url = \"\(request.address)\"", "include", "suppress-connect-headers", "silent", "show-error", "globoff",
            "path-as-is", "proto = \"=\(request.address.origin.isSecure ? "https" : "http")\"",
            "connect-timeout = \(request.connectTimeout)", "speed-limit = 1", "speed-time = \(request.stallTimeout)",
            "user-agent = \"swift-vit\"", "header = \"Accept-Encoding: identity\"",
        ]
        if request.isHead { lines.append("head") }
        if request.start > 0 { lines.append("range = \"\(request.start)-\"") }
        if let timeout = request.timeout { lines.append("max-time = \(timeout)") }
        if let token = request.token { lines.append("header = \"Authorization: Bearer \(token)\"") }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension CurlTransfer.Failure {
    /// What happened, as a clause with the server's name.
    func clause(_ origin: WebAddress.Origin) -> String {
        switch self {
        case .start(let error):
            return error.isMissing
                ? "the program curl, which makes the connection, is not in PATH; install it (apt-get install curl), or name a "
                    + "folder with the model"
                : "the program curl, which makes the connection, cannot be started: \(error.clause)"
        case .malformed: return "\(origin) gives no answer of HTTP"
        case .curl(5, _), .curl(6, _): return "\(origin.host) cannot be found; is there a network?"
        case .curl(7, _): return "there is no connection to \(origin)"
        case .curl(28, _): return "\(origin) gave no answer in time"
        case .curl(18, _), .curl(52, _), .curl(55, _), .curl(56, _), .curl(92, _):
            return "\(origin) broke the connection off"
        case .curl(let code, let text): return "the connection to \(origin) failed: \(Self.words(code, text))"
        }
    }

    /// "curl: (60) SSL certificate problem: …" without its beginning, on one line.
    private static func words(_ code: Int32, _ text: String) -> String {
        let line = text.split { $0.isNewline }.first.map(String.init) ?? ""
        let words = line.hasPrefix("curl: (") ? String(line.drop { $0 != ")" }.dropFirst(2)) : line
        return words.isEmpty ? "curl ended with \(code)" : words
    }

    /// Whether another attempt may go better.
    var isTransient: Bool {
        switch self {
        case .start, .malformed: return false
        case .curl(let code, _):
            // Of those that another attempt cannot mend: malformed addresses, protocols that it lacks, and certificates.
            return ![1, 2, 3, 4, 35, 53, 54, 58, 59, 60, 66, 77, 80, 82, 83, 90, 91, 127].contains(code)
        }
    }
}
