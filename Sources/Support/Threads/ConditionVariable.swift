import LibC

/// A lock, and a way for the thread that holds it to sleep until another one has changed something.
@safe package final class ConditionVariable: @unchecked Sendable {
    // On the heap, because a mutex must not move.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    package init() {
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe condition.initialize(to: pthread_cond_t())
        unsafe pthread_mutex_init(mutex, nil)
        unsafe pthread_cond_init(condition, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// Runs `body` while no other thread holds the lock.
    package func withLock<Result>(_ body: () -> Result) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return body()
    }

    /// Wakes every thread that waits.
    package func broadcast() { unsafe pthread_cond_broadcast(condition) }

    /// Sleeps until a thread broadcasts, or for no reason; only inside `withLock`, whose lock is free meanwhile.
    package func wait() { unsafe pthread_cond_wait(condition, mutex) }

    /// The same, for at most some nanoseconds.
    package func wait(nanoseconds: Int) {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        let sum = Int(time.tv_nsec) + nanoseconds
        time = timespec(tv_sec: time.tv_sec + sum / 1_000_000_000, tv_nsec: sum % 1_000_000_000)
        unsafe pthread_cond_timedwait(condition, mutex, &time)
    }
}
