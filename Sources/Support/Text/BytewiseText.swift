/// A text that equals another where their bytes do, as the names of files do.
///
/// Swift's strings are equal in all Unicode forms of the same letters, so that a set of them would take two files for one.
package struct BytewiseText: Hashable, Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }

    package static func == (one: BytewiseText, other: BytewiseText) -> Bool { one.text.equalsBytewise(other.text) }

    package func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { bytes in unsafe hasher.combine(bytes: UnsafeRawBufferPointer(bytes)) }
    }
}

extension StringProtocol {
    /// Whether both have the same bytes.
    package func equalsBytewise(_ other: some StringProtocol) -> Bool { utf8.elementsEqual(other.utf8) }
}
