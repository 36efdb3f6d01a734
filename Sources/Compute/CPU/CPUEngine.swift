import CKernels
import COneDNN
import Synchronization

/// The arithmetic on the processor's cores, with this package's threads and oneDNN's kernels; where there is AVX-512 or
/// AVX2, with this package's own product of matrices.
///
/// Work is cut into tasks by its size alone, never by the number of threads, and each sum is taken by one task in a
/// fixed order.
package final class CPUEngine: Engine {
    let workers: Workers
    /// This package's own product, where it takes the place of oneDNN's.
    let panels: Panels?
    let cache = PrimitiveCache()
    private let partials = SharedWorkspace()
    /// The right side of the product under way, where it is packed for it alone.
    let packedCopy = SharedWorkspace()
    /// That of a second product of the same operation.
    let secondPackedCopy = SharedWorkspace()
    /// The left side of the product under way, where its rows are moved apart.
    let spacedCopy = SharedWorkspace()

    /// Rows of a matrix product that one task computes where nothing speaks for another number: enough to use each weight
    /// many times, few enough to share the rows of a single picture among threads.
    static let rowsPerTask = 48
    /// The same where weights are not packed and each task has to copy them into place for itself.
    static let rowsPerPlainTask = 192
    /// The columns of such a task.
    static let columnsPerPlainTask = 512
    /// Rows from which on packing a matrix for one product takes less time than it saves.
    static let rowsWorthPacking = 64
    /// Columns of a matrix of rows that one task packs.
    static let columnsPackedTogether = 64
    /// Elements that one task of a memory-bound loop handles.
    static let elementsPerTask = 1 << 15

    /// The number of threads at work.
    package var threadCount: Int { workers.count }

    /// An engine with `threadCount` threads; left out, as many as this process may use.
    package init(threadCount: Int? = nil) {
        workers = Workers(threadCount: max(1, threadCount ?? Engines.availableCores))
        panels = MatrixProducts.supported.first?.panels
    }

    /// One that multiplies matrices as told, which has to be among the supported ways.
    package init(threadCount: Int?, products: MatrixProducts) {
        precondition(MatrixProducts.supported.contains(products), "this processor cannot run products of \(products)")
        workers = Workers(threadCount: max(1, threadCount ?? Engines.availableCores))
        panels = products.panels
    }

    /// Runs `body(rows)` over blocks of at most `size` of `count` rows.
    func forBlocks(
        of size: Int, in count: Int, _ body: (_ rows: Range<Int>, _ context: OpaquePointer, _ worker: Int) -> Void
    ) {
        unsafe workers.run((count + size - 1) / size) { task, context, worker in
            let first = task * size
            unsafe body(first..<min(first + size, count), context, worker)
        }
    }

    /// Memory for the sums of single tasks, which are then added up in order. One operation uses it at a time.
    func partialSums(floatCount: Int) -> UnsafeMutablePointer<Float> { unsafe partials.floats(floatCount) }

    /// Rows of `width` floats that make a task of a memory-bound loop.
    static func rowsPerTask(width: Int) -> Int { max(1, elementsPerTask / max(width, 1)) }
}

/// Memory that grows to the largest need, for one operation at a time.
final class SharedWorkspace: Sendable {
    private let storage = Mutex(Storage(byteCount: 0))

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
