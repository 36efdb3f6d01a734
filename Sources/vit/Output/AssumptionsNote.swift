import Models
import Support

extension Checkpoint {
    /// Says on standard error what no file of the checkpoint states, and is assumed.
    ///
    /// - Parameter usesHead: whether scores of classes depend on it.
    func noteAssumptions(usesHead: Bool = false, unless isQuiet: Bool) {
        guard !isQuiet, let note = assumptionsNote(usesHead: usesHead) else { return }
        StandardError.report(note)
    }
}
