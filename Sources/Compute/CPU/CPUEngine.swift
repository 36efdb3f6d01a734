import CKernels
import Support

/// The arithmetic on the processor's cores.
///
/// Work is cut into tasks by its size alone, never by the number of threads, and each sum is taken by one task in a
/// fixed order.
package final class CPUEngine: Engine {
    let workers: WorkerPool
    /// The matrix product for the instruction set in use.
    let kernel: GemmKernel
    /// Memory of each thread, for the task that it runs.
    private let threadMemory: [ScratchMemory]
    private let partials = ScratchMemory()
    /// The right operand of the product under way, where it is packed for it alone.
    let packedOperand = ScratchMemory()
    /// That of a second product of the same operation.
    let secondPackedOperand = ScratchMemory()
    /// The left operand of the product under way, where its rows are spaced for the caches.
    let spacedRows = ScratchMemory()
    /// That, rounded for all its tasks.
    let roundedRows = ScratchMemory()

    /// Elements that one task of a memory-bound loop handles.
    static let elementsPerTask = 1 << 15
    /// Columns of a bias's or of positions' gradient that one task sums up.
    static let columnsPerTask = 256

    /// The number of threads at work.
    package var threadCount: Int { workers.threadCount }

    package var name: String { "CPU" }

    package var instructionSet: String { kernel.instructionSet.displayName }

    /// An engine with `threadCount` threads, by default as many as this process may use, whose matrix products use
    /// `instructionSet`, which the processor must support.
    package init(threadCount: Int? = nil, instructionSet: InstructionSet? = nil) {
        let instructionSet = instructionSet ?? .fastest
        precondition(
            InstructionSet.supported.contains(instructionSet), "CPUEngine: this processor has no \(instructionSet)")
        workers = WorkerPool(threadCount: max(1, threadCount ?? Engines.availableCores))
        kernel = GemmKernel(instructionSet)
        threadMemory = (0..<workers.threadCount).map { _ in ScratchMemory() }
    }

    /// Runs `body(rows, worker)` over blocks of at most `size` of `count` rows.
    func forBlocks(of size: Int, in count: Int, _ body: (_ rows: Range<Int>, _ worker: Int) -> Void) {
        workers.run((count + size - 1) / size) { task, worker in
            let first = task * size
            body(first..<min(first + size, count), worker)
        }
    }

    /// At least `floatCount` floats for the task that `worker` is running.
    func scratch(of worker: Int, floatCount: Int) -> UnsafeMutablePointer<Float> {
        unsafe threadMemory[worker].floats(floatCount)
    }

    /// Memory for the sums of single tasks, which are then added up in order. One operation uses it at a time.
    func partialSums(floatCount: Int) -> UnsafeMutablePointer<Float> { unsafe partials.floats(floatCount) }

    /// Rows that one task of a memory-bound loop handles, so that both two and four threads get equal shares.
    static func rowsPerTask(rowCount: Int, width: Int) -> Int {
        // Below that, threads take longer to meet than to compute.
        guard rowCount * width >= 1 << 13 else { return max(1, rowCount) }
        let longest = rowsPerTask(width: width)
        let taskCount = ((rowCount + longest - 1) / longest + 3) / 4 * 4
        return (rowCount + taskCount - 1) / taskCount
    }

    /// Rows of `width` floats that make a task of a memory-bound loop.
    static func rowsPerTask(width: Int) -> Int { max(1, elementsPerTask / max(width, 1)) }
}

/// Memory that grows to the largest need, for one operation or one thread at a time.
final class ScratchMemory: Sendable {
    private let storage = Locked(Storage(byteCount: 0))

    /// At least `count` floats, valid until the next call.
    func floats(_ count: Int) -> UnsafeMutablePointer<Float> {
        let byteCount = count * MemoryLayout<Float>.stride
        let grown = storage.withLock { storage in
            if storage.byteCount < byteCount { storage = Storage(byteCount: byteCount) }
            return storage
        }
        return unsafe grown.address.assumingMemoryBound(to: Float.self)
    }
}
