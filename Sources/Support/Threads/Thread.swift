import LibC

/// A thread that runs one closure; it has to be joined or detached.
package struct Thread: Sendable {
    private let handle: pthread_t

    /// Starts a thread; nil where the system has none left.
    package init?(_ body: @escaping @Sendable () -> Void) {
        let box = unsafe Unmanaged.passRetained(Body(run: body))
        var handle = pthread_t()
        let code = unsafe pthread_create(
            &handle, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            unsafe box.release()
            return nil
        }
        self.handle = handle
    }

    /// Waits for the closure to end.
    package func join() { pthread_join(handle, nil) }

    /// Lets the thread go on alone.
    package func detach() { pthread_detach(handle) }
}

private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(run: @escaping @Sendable () -> Void) { self.run = run }
}
