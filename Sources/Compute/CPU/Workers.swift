import COneDNN

/// The pool of threads with what each of them needs to run oneDNN: a context and scratch memory.
@safe
final class Workers: @unchecked Sendable {
    let pool: WorkerPool
    private var contexts: [OpaquePointer] = unsafe []
    private var scratch: [Storage]

    var count: Int { pool.threadCount }

    init(threadCount: Int) {
        pool = WorkerPool(threadCount: threadCount)
        scratch = (0..<threadCount).map { _ in Storage(byteCount: 0) }
        for _ in 0..<threadCount {
            var context: OpaquePointer?
            let status = unsafe vit_context_create(&context)
            guard status == 0, let made = unsafe context else {
                preconditionFailure("oneDNN cannot make a stream: \(statusText(status))")
            }
            unsafe contexts.append(made)
        }
    }

    deinit {
        unsafe contexts.forEach { unsafe vit_context_destroy($0) }
    }

    /// At least `floatCount` floats for the task that `worker` is running.
    func scratch(of worker: Int, floatCount: Int) -> UnsafeMutablePointer<Float> {
        let byteCount = floatCount * MemoryLayout<Float>.stride
        if scratch[worker].byteCount < byteCount { scratch[worker] = Storage(byteCount: byteCount) }
        return unsafe scratch[worker].address.assumingMemoryBound(to: Float.self)
    }

    /// Runs `body(task, context, worker)` for every task.
    func run(_ taskCount: Int, _ body: (_ task: Int, _ context: OpaquePointer, _ worker: Int) -> Void) {
        pool.run(taskCount) { task, worker in
            vit_use_calling_thread_only()
            unsafe body(task, contexts[worker], worker)
        }
    }
}
