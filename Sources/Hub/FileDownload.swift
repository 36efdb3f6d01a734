import LibC
import Support

/// Fetches one file of a model into the cache: goes on where an earlier attempt ended, checks length and content, and gives it
/// its name when it is whole.
struct FileDownload {
    let client: WebClient
    let cache: RepositoryCache
    let reference: HubReference
    let commit: String
    /// The file.
    let name: String
    let observe: (ModelHub.Event) -> Void

    /// What the hub states of the content.
    private struct Statement {
        /// The content's name in the cache: its SHA-256, or what git calls it, or what else the hub says.
        let etag: String
        let size: Int?
    }

    /// Attempts in a row without a new byte.
    private static let mostAttempts = 5

    private var place: String { Files.join(cache.snapshot(commit), name) }
    private var subject: String { "\(reference.description)/\(name)" }
    private var address: WebAddress {
        client.endpoint.appending(
            reference.repository.split(separator: "/").map(String.init) + ["resolve", commit, name])
    }

    /// Fetches the file unless it is there.
    func run() throws(HubError) {
        guard Files.isMissing(place) else { return }
        let stated = try statement()
        try cache.makeDirectories(commit)
        if Files.isMissing(cache.blob(stated.etag)) {
            let lock = try lock(stated)
            // Meanwhile, whoever held the lock may have fetched it.
            if Files.isMissing(cache.blob(stated.etag)) { try fetch(stated) }
            withExtendedLifetime(lock) {}
        }
        try cache.link(name, of: commit, toBlob: stated.etag)
    }

    private func statement() throws(HubError) -> Statement {
        let answer = try answered { () throws(WebFailure) in
            try client.answer(address, isHead: true, timeout: client.stallTimeout * 2)
        }
        let head = answer.head
        guard head.status == 200 || head.isRedirect else { throw error(answer) }
        let hub = answer.hubHead
        guard let stated = hub["X-Linked-Etag"] ?? hub["ETag"], let etag = Self.etag(stated) else {
            throw HubError(
                .malformed, subject,
                "\(answer.origin) states no ETag that could be a name of the content; check HF_ENDPOINT")
        }
        if let other = hub["X-Repo-Commit"], other != commit {
            throw HubError(
                .malformed, subject, "\(answer.origin) answers with commit \(other), and \(commit) was asked for")
        }
        return Statement(
            etag: etag, size: hub.count("X-Linked-Size") ?? (head.isRedirect ? nil : head.count("Content-Length")))
    }

    /// The value without marks around it, where it can be the name of a file.
    private static func etag(_ header: String) -> String? {
        let value = header.hasPrefix("W/") ? header.dropFirst(2) : header[...]
        let bare =
            value.count >= 2 && value.hasPrefix("\"") && value.hasSuffix("\"") ? value.dropFirst().dropLast() : value
        return HubReference.isPart(bare) && bare.utf8.count <= 128 ? String(bare) : nil
    }

    private func lock(_ stated: Statement) throws(HubError) -> FileLock? {
        let path = cache.lock(stated.etag)
        do throws(SystemError) {
            return try FileLock.wait(path) {
                observe(.note("\(subject): another process fetches it; waiting for that"))
            }
        } catch {
            throw HubError(FileError(.cannotCreate, path, "cannot be created", error))
        }
    }

    // MARK: Content

    private func fetch(_ stated: Statement) throws(HubError) {
        let blob = cache.blob(stated.etag)
        let incomplete = blob + ".incomplete"
        let file = try HubError.onFiles { () throws(FileError) in try AppendedFile(incomplete, of: incomplete) }
        var earlier = try HubError.onFiles { () throws(FileError) in try file.byteCount() }
        if let size = stated.size, earlier > size { earlier = 0 }
        while true {
            try HubError.onFiles { () throws(FileError) in try file.truncate(to: earlier) }
            try checkSpace(stated, from: earlier)
            try receive(stated, into: file, from: earlier)
            if try isRight(incomplete, stated) { break }
            guard earlier > 0 else {
                Files.discard(incomplete)
                throw HubError(
                    .inputOutput, subject,
                    "what came is not what the hub states (\(stated.etag)), so that it was damaged on the way; try again"
                )
            }
            // What an earlier attempt left was wrong.
            earlier = 0
        }
        try HubError.onFiles { () throws(FileError) in
            try file.synchronize()
            try Files.move(incomplete, to: blob)
        }
    }

    private func checkSpace(_ stated: Statement, from start: Int) throws(HubError) {
        let directory = Files.directory(of: cache.blob(stated.etag))
        guard let size = stated.size, let free = Files.freeByteCount(in: directory), free < size - start else { return }
        throw HubError(
            .inputOutput, directory,
            "has \(megabytes(free)) free, and \(subject) needs \(megabytes(size - start)); make room, or set HF_HUB_CACHE to a "
                + "larger disk")
    }

    /// Receives what is missing of the content, in several attempts where the connection breaks.
    private func receive(_ stated: Statement, into file: AppendedFile, from start: Int) throws(HubError) {
        var place = start
        var failures = 0
        while stated.size.map({ place < $0 }) ?? true {
            let before = place
            do throws(WebFailure) {
                if try receiveOnce(stated, into: file, &place) == .all { return }
                throw .transfer(.curl(18, ""), client.endpoint.origin)
            } catch let failure {
                let end = place
                try HubError.onFiles { () throws(FileError) in try file.write() }
                failures = place > before ? 1 : failures + 1
                guard failure.isTransient else { throw failure.asHubError(about: subject) }
                guard failures < Self.mostAttempts else {
                    throw HubError(
                        .inputOutput, subject,
                        "\(failure.clause), after \(megabytes(end))\(stated.size.map { " of \(megabytes($0))" } ?? "") and "
                            + "\(failures) attempts to go on; the same command again goes on from there")
                }
                observe(.note("\(subject): \(failure.clause) after \(megabytes(end)); going on from there"))
                WebClient.sleep(0.25 * Double(1 << failures))
            }
        }
    }

    private enum Part { case all, some }

    /// Receives what one answer has from `place` on.
    ///
    /// - Returns: whether that was all, as far as anybody stated how much there is.
    private func receiveOnce(
        _ stated: Statement, into file: AppendedFile, _ place: inout Int
    ) throws(WebFailure) -> Part {
        let answer = try client.answer(address, from: place)
        switch answer.head.status {
        case 206 where answer.head.contentRange?.start == place: break
        case 200, 206, 416:
            // A server that does not give the part that was asked for gives the whole, or is asked for it.
            let isWhole = answer.head.status == 200
            if place > 0 || !isWhole { try onFile { () throws(FileError) in try file.truncate(to: 0) } }
            place = 0
            if !isWhole { return .some }
        default: throw .final(error(answer))
        }
        if let size = stated.size, let length = answer.head.count("Content-Length"), place + length != size {
            throw .final(wrongLength(place + length, stated: size, answer.origin))
        }
        while true {
            let piece = try answer.next()
            if piece.isEmpty { break }
            if let size = stated.size, place + piece.count > size {
                throw .final(wrongLength(place + piece.count, stated: size, answer.origin))
            }
            try onFile { () throws(FileError) in
                file.append(piece)
                try file.writeIfLarge()
            }
            place += piece.count
            observe(.progress(file: subject, done: place, total: stated.size))
        }
        try onFile { () throws(FileError) in try file.write() }
        return stated.size.map { place == $0 } ?? true ? .all : .some
    }

    private func wrongLength(_ length: Int, stated size: Int, _ origin: WebAddress.Origin) -> HubError {
        HubError(
            .inputOutput, subject, "\(origin) sends \(length) bytes, and the hub states \(size); try again later")
    }

    /// Whether the content of a file is what the hub states, by its length and what its name in the cache is made of.
    private func isRight(_ path: String, _ stated: Statement) throws(HubError) -> Bool {
        do throws(SystemError) {
            if let size = stated.size, try Files.status(path).byteCount != size { return false }
            let isSHA256 = SHA256(hex: stated.etag) != nil
            guard isSHA256 || HubReference.isCommit(stated.etag) else { return true }
            var (sum, gitSum) = (SHA256.Sum(), SHA1())
            gitSum.add(Array("blob \(try Files.status(path).byteCount)\0".utf8))
            let file = try InputFile(path)
            while true {
                let piece = try file.read(upTo: 1 << 20)
                if piece.isEmpty { break }
                if isSHA256 { sum.add(piece) } else { gitSum.add(piece) }
            }
            return stated.etag.lowercased() == (isSHA256 ? sum.digest.hex : gitSum.hex)
        } catch {
            throw HubError(FileError(.inputOutput, path, "cannot be read back", error))
        }
    }

    // MARK: Failures

    private func error(_ answer: WebClient.Answer) -> HubError {
        HubError(
            answer, reference, file: name, page: "\(client.endpoint)/\(reference.repository)",
            hasToken: client.token != nil)
    }

    private func answered(_ body: () throws(WebFailure) -> WebClient.Answer) throws(HubError) -> WebClient.Answer {
        do throws(WebFailure) {
            return try body()
        } catch {
            throw error.asHubError(about: subject)
        }
    }

    private func onFile(_ body: () throws(FileError) -> Void) throws(WebFailure) {
        do throws(FileError) {
            try body()
        } catch {
            throw .final(HubError(error))
        }
    }
}

/// A count of bytes in megabytes.
func megabytes(_ count: Int) -> String {
    count < 1_000_000 ? "\(fixed(Double(count) / 1e3, 1)) kB" : "\(fixed(Double(count) / 1e6, 1)) MB"
}
