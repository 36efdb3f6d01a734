/// placeholder
struct ZipEntry: Sendable {
    func content() throws(CheckpointError) -> Bytes { throw .malformed("", "") }
}
