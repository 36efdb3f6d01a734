import Support

/// Writes announced tensors into a file, one after the other, each in one or more pieces; the file appears with `commit`.
package protocol TensorWriter {
    /// Writes the next numbers, in row-major order, rounded to the nearest (ties to even) where the type is shorter. A
    /// tensor without elements takes one call without numbers.
    func append(_ numbers: Span<Float>) throws(FileError)
    /// Puts the file in its place.
    func commit() throws(FileError)
}

/// Which of the announced tensors the next numbers belong to.
struct TensorCursor {
    private let tensors: [TensorDescription]
    private(set) var index = 0
    private var written = 0

    /// A cursor before the first of `tensors`, which are of 32-bit or 16-bit floats.
    init(_ tensors: [TensorDescription]) {
        for tensor in tensors {
            precondition(
                [.float32, .float16].contains(tensor.type),
                "TensorWriter: expected numbers of the type F32 or F16, got \(tensor.type.rawValue)")
        }
        self.tensors = tensors
    }

    /// The tensor that the next numbers belong to.
    var tensor: TensorDescription {
        precondition(!isAtEnd, "TensorWriter: more numbers than the \(tensors.count) tensors take")
        return tensors[index]
    }

    /// Whether the tensor has no numbers yet.
    var isAtStart: Bool { written == 0 }

    /// Whether all tensors have their numbers.
    var isAtEnd: Bool { index == tensors.count }

    /// Counts the next numbers of the tensor; true where they were its last.
    mutating func advance(_ count: Int) -> Bool {
        let (size, name) = (tensor.count, tensor.name)
        written += count
        precondition(written <= size, "TensorWriter: \(written) numbers for \(name), which takes \(size)")
        guard written == size else { return false }
        index += 1
        written = 0
        return true
    }

    func checkEnd() {
        precondition(isAtEnd, "TensorWriter: \(index) of \(tensors.count) tensors were written")
    }
}

extension Span<Float> {
    /// Hands over the bytes of the numbers as `type`, in pieces.
    func forEachPiece(as type: StoredType, _ body: (RawSpan) throws(FileError) -> Void) throws(FileError) {
        guard type == .float16 else {
            try unsafe body(bytes)
            return
        }
        let size = 1 << 19
        for start in stride(from: 0, to: count, by: size) {
            let halves = (start..<Swift.min(start + size, count)).map { Float16(self[$0]).bitPattern.littleEndian }
            try unsafe body(halves.span.bytes)
        }
    }
}
