import LibC
import Support

/// Requests to the hub: with the token for it alone, redirects followed, and again where a server asks for patience.
struct WebClient {
    /// An answer.
    struct Answer {
        /// Who gave it.
        let origin: WebAddress.Origin
        let head: ResponseHead
        /// The headers of the hub itself on the way, where others gave the answer.
        let hubHead: ResponseHead
        fileprivate let transfer: CurlTransfer

        /// The next bytes of the body; none at its end.
        func next() throws(WebFailure) -> [UInt8] {
            do throws(CurlTransfer.Failure) {
                return try transfer.next()
            } catch {
                throw .transfer(error, origin)
            }
        }

        /// The whole body, which must not be longer than `limit`.
        func body(limit: Int) throws(WebFailure) -> [UInt8] {
            var body: [UInt8] = []
            while true {
                let piece = try next()
                if piece.isEmpty { return body }
                body += piece
                if body.count > limit {
                    throw .refused("\(origin) sends more than \(limit >> 20) MB where a list was expected")
                }
            }
        }
    }

    let endpoint: WebAddress
    let token: String?
    let connectTimeout: Int
    let stallTimeout: Int
    /// Takes sentences on why it takes longer.
    let note: (String) -> Void

    private static let mostRedirects = 8
    private static let mostAttempts = 4
    /// A server that asks for more seconds of patience is taken at its word another time.
    private static let longestWait = 60

    /// Makes a request, up to four times where the server is busy or fails.
    ///
    /// - Parameters:
    ///   - isHead: whether the headers alone are wanted; then what another server would answer is not asked for.
    ///   - start: the place of the first byte that is wanted.
    ///   - timeout: seconds for the whole answer.
    func answer(
        _ address: WebAddress, isHead: Bool = false, from start: Int = 0, timeout: Int? = nil
    ) throws(WebFailure) -> Answer {
        var attempt = 1
        while true {
            let answer = try followed(address, isHead: isHead, from: start, timeout: timeout)
            let status = answer.head.status
            guard status == 429 || [408, 500, 502, 503, 504].contains(status) else { return answer }
            let asked = answer.head.count("Retry-After")
            if let asked, asked > Self.longestWait { return answer }
            if attempt == Self.mostAttempts { return answer }
            let seconds = asked.map(Double.init) ?? 0.5 * Double(1 << (attempt - 1))
            if seconds > 2 {
                note("\(answer.origin) is busy (status \(status)); trying again in \(fixed(seconds, 0)) seconds")
            }
            Self.sleep(seconds)
            attempt += 1
        }
    }

    static func sleep(_ seconds: Double) { usleep(UInt32(min(seconds, 3600) * 1e6)) }

    private func followed(
        _ address: WebAddress, isHead: Bool, from start: Int, timeout: Int?
    ) throws(WebFailure) -> Answer {
        var address = address
        var hubHead: ResponseHead?
        for _ in 0..<Self.mostRedirects {
            let isHub = address.origin == endpoint.origin
            let request = CurlTransfer.Request(
                address: address, isHead: isHead, start: start, token: isHub ? token : nil,
                connectTimeout: connectTimeout, stallTimeout: stallTimeout, timeout: timeout)
            let transfer = try Self.start(request)
            let head = transfer.head
            if isHub { hubHead = head.merging(hubHead) }
            let answer = Answer(
                origin: address.origin, head: head, hubHead: hubHead ?? head, transfer: transfer)
            guard head.isRedirect else { return answer }
            guard let next = head["Location"].flatMap(address.following) else {
                throw .refused("\(address.origin) redirects to an address that is none")
            }
            guard address.mayLead(to: next) else {
                throw .refused(
                    "\(address.origin) redirects to \(next.origin) without encryption, which is not followed")
            }
            if isHead, next.origin != endpoint.origin { return answer }
            address = next
        }
        throw .refused("\(address.origin) redirects more than \(Self.mostRedirects) times")
    }

    private static func start(_ request: CurlTransfer.Request) throws(WebFailure) -> CurlTransfer {
        do throws(CurlTransfer.Failure) {
            return try CurlTransfer(request)
        } catch {
            throw .transfer(error, request.address.origin)
        }
    }
}

/// Why a request had no answer that can be used.
enum WebFailure: Error {
    case transfer(CurlTransfer.Failure, WebAddress.Origin)
    /// The answer is not accepted.
    case refused(String)
    /// Another attempt cannot mend it.
    case final(HubError)

    /// What happened, as a clause.
    var clause: String {
        switch self {
        case .transfer(let failure, let origin): failure.clause(origin)
        case .refused(let clause): clause
        case .final(let error): error.reason
        }
    }

    /// What ends the request for `subject`.
    func asHubError(about subject: String) -> HubError {
        if case .final(let error) = self { error } else { HubError(.inputOutput, subject, clause) }
    }

    /// Whether another attempt may go better.
    var isTransient: Bool {
        if case .transfer(let failure, _) = self { failure.isTransient } else { false }
    }
}
