import Support

/// Why a checkpoint cannot be read or written: one sentence with the file, what is wrong and what would be right.
public typealias CheckpointError = FileError
