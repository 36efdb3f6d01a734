import Support

/// Fetches a model into the cache: what describes it first, then, where it can be read, its weights.
struct ModelDownload {
    let client: WebClient
    let cache: RepositoryCache
    let reference: HubReference
    /// The revision to fetch: that of the name, or the commit of it that the cache has.
    let revision: String
    /// Throws where the model whose settings are in a directory cannot be read.
    let check: (_ directory: String) throws(FileError) -> Void
    let observe: (ModelHub.Event) -> Void

    /// Seconds for the hub's description of a model.
    private static let listingTimeout = 120

    /// Fetches what is missing, and gives the directory.
    ///
    /// - Parameter needsWeights: false where the cache has weights of this commit already.
    func run(needsWeights: Bool) throws(HubError) -> String {
        let listing = try listing()
        let directory = cache.snapshot(listing.commit)
        let selection = try FileSelection(listing.files, of: reference)
        for name in selection.settings { try fetch(name, listing) }
        for name in ModelHub.describingNames where !listing.files.contains(name) {
            cache.noteAbsence(of: name, listing.commit)
        }
        try HubError.onFiles { () throws(FileError) in try check(directory) }
        if needsWeights { try fetchWeights(selection, listing) }
        try cache.note(reference.revision, isAt: listing.commit)
        return directory
    }

    private func fetchWeights(_ selection: FileSelection, _ listing: RepositoryListing) throws(HubError) {
        if let weights = selection.weights { return try fetch(weights, listing) }
        guard let index = selection.index else { return }
        try fetch(index, listing)
        for shard in try FileSelection.shards(ofIndexAt: Files.join(cache.snapshot(listing.commit), index)) {
            guard listing.files.contains(shard) else {
                throw HubError(
                    .malformed, reference.description, "\(index) names \(shard), which the model does not have")
            }
            try fetch(shard, listing)
        }
    }

    private func fetch(_ name: String, _ listing: RepositoryListing) throws(HubError) {
        try FileDownload(
            client: client, cache: cache, reference: reference, commit: listing.commit, name: name, observe: observe
        ).run()
    }

    private func listing() throws(HubError) -> RepositoryListing {
        let parts = reference.repository.split(separator: "/").map(String.init)
        let address = client.endpoint.appending(["api", "models"] + parts + ["revision", revision])
        let listing: RepositoryListing
        do throws(WebFailure) {
            let answer = try client.answer(address, timeout: Self.listingTimeout)
            guard answer.head.status == 200 else {
                throw .final(
                    HubError(
                        answer, reference, page: "\(client.endpoint)/\(reference.repository)",
                        hasToken: client.token != nil))
            }
            let bytes = try answer.body(limit: RepositoryListing.largest)
            do throws(HubError) {
                listing = try RepositoryListing(bytes, of: reference)
            } catch {
                throw .final(error)
            }
        } catch {
            throw error.asHubError(about: reference.description)
        }
        if HubReference.isCommit(revision), listing.commit != revision {
            throw HubError(
                .malformed, reference.description,
                "the server describes commit \(listing.commit), and another was asked for")
        }
        return listing
    }
}
