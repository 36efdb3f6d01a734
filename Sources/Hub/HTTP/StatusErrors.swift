extension HubError {
    /// What a status other than success means for a model.
    ///
    /// - Parameters:
    ///   - file: the file that was asked for; nil: the model itself.
    ///   - hasToken: whether a token was sent.
    init(_ answer: WebClient.Answer, _ reference: HubReference, file: String? = nil, page: String, hasToken: Bool) {
        let head = answer.head
        let code = answer.hubHead["X-Error-Code"]
        let subject = file.map { "\(reference.description)/\($0)" } ?? reference.description
        switch (head.status, code) {
        case (_, "GatedRepo"):
            self.init(
                .missing, subject,
                "is given only to those who accept its conditions: do so on \(page)"
                    + (hasToken ? ", with the account of the token" : ", and set HF_TOKEN to a token of your account"))
        case (404, "RevisionNotFound"):
            self.init(
                .missing, subject, "there is no revision \(reference.revision) of this model; see \(page)/tree/main")
        case (401, _), (404, "RepoNotFound"):
            self.init(
                .missing, subject,
                "\(answer.origin) has no such model, or none for everybody; check the name"
                    + (hasToken ? ", and whether the token may read it" : ", or set HF_TOKEN if it is private or gated")
            )
        case (403, _):
            self.init(
                .missing, subject,
                "\(answer.origin) forbids to read it"
                    + (hasToken
                        ? " with this token; see \(page)" : "; accept its conditions on \(page) and set HF_TOKEN"))
        case (404, _), (410, _):
            self.init(
                .missing, subject,
                file == nil
                    ? "there is no such model on \(answer.origin), or no such revision; check the name"
                    : "\(answer.origin) lists the file and does not have it; try again later")
        case (429, _):
            let wait = head.count("Retry-After").map { "try again in \($0) seconds" } ?? "try again later"
            self.init(
                .inputOutput, subject,
                "\(answer.origin) answers no more requests for now (status 429); \(wait)"
                    + (hasToken ? "" : ", or set HF_TOKEN, which allows more"))
        case (500..., _):
            self.init(.inputOutput, subject, "\(answer.origin) failed (status \(head.status)); try again later")
        default:
            self.init(
                .inputOutput, subject,
                "\(answer.origin) answered with status \(head.status), which is not expected of a hub")
        }
    }
}
