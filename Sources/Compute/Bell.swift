import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Lets threads sleep until a condition, which others bring about, holds.
@safe
final class Bell: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let sleeperCount = Atomic<Int>(0)

    init() {
        unsafe pthread_mutex_init(mutex, nil)
        unsafe pthread_cond_init(condition, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// Wakes every sleeper; to be called after the condition was made true, by a sequentially consistent store.
    func ring() {
        // Who is not counted yet has still to ask for the condition, and finds it true.
        if sleeperCount.load(ordering: .sequentiallyConsistent) == 0 { return }
        unsafe pthread_mutex_lock(mutex)
        unsafe pthread_cond_broadcast(condition)
        unsafe pthread_mutex_unlock(mutex)
    }

    /// Sleeps until `isDone`, which is asked under the bell's lock by a sequentially consistent load.
    func wait(until isDone: () -> Bool) {
        sleeperCount.add(1, ordering: .sequentiallyConsistent)
        unsafe pthread_mutex_lock(mutex)
        while !isDone() { unsafe pthread_cond_wait(condition, mutex) }
        unsafe pthread_mutex_unlock(mutex)
        sleeperCount.subtract(1, ordering: .relaxed)
    }
}
