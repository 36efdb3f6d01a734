/// Why processes that were started together cannot work together: one sentence for people.
package struct CommunicationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong and what would be right.
    package let description: String

    package init(_ description: String) { self.description = description }
}
