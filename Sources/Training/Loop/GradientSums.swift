import Communication
import Compute
import Layers

/// The gradients of a step's passes, added in the order of a tree over all of them.
///
/// So the sum is the same however many processes share the passes. With one pass in all, its gradients are the sum, and
/// nothing is copied or kept.
final class GradientSums {
    /// The passes of a step that this process takes.
    let parts: Range<Int>
    private let tree: SumTree
    private let gradients: Tensor
    private let engine: any Engine
    private let communicator: any Communicator
    /// Sums of this step so far; the last one lies in `gradients`.
    private var stack = SumStack<Tensor>()
    /// Memory for the other sums, reused in every step.
    private var free: [Tensor] = []

    /// - Parameter passCount: the passes of a step in all processes.
    init(_ parameters: TrainedParameters, passCount: Int, communicator: any Communicator) {
        tree = SumTree(count: passCount)
        parts = tree.parts(of: communicator.rank, among: communicator.count)
        (gradients, engine) = (parameters.store.gradients, parameters.engine)
        self.communicator = communicator
    }

    /// Discards all sums; call it before the first pass of a step.
    func begin() {
        free += stack.sums.dropLast()
        stack = SumStack()
    }

    /// Zeroes the gradients, which the next pass adds to, and keeps the sum that lies in them.
    func prepare() {
        if !stack.sums.isEmpty { stack.replaceLast { _ in kept } }
        engine.zero(gradients)
    }

    /// Takes the gradients as those of a pass.
    func add(part: Int) {
        stack.push(gradients, at: .init(level: 0, index: part), add: add)
    }

    /// Makes the gradients the sum over all passes of all processes.
    func finish() {
        if communicator.isAlone {
            _ = stack.total(add: add)
            return
        }
        unsafe withNumbers(of: stack.sums[...]) { sums in
            guard let result = unsafe sums.last else { return }
            unsafe communicator.sum(sums, over: tree, into: result)
        }
        begin()
    }

    /// A copy of the gradients.
    private var kept: Tensor {
        let copy = free.popLast() ?? Tensor(shape: gradients.shape)
        // Entries of the arena begin at multiples of 16 numbers.
        let rows = [gradients.count / 16, 1, 16]
        engine.copyTokens(0..<1, of: gradients.reshaped(rows), into: copy.reshaped(rows))
        return copy
    }

    /// The later sum is the one in `gradients`.
    private func add(_ left: Tensor, _ right: Tensor) -> Tensor {
        engine.add(left, into: right)
        free.append(left)
        return right
    }

    private func withNumbers(
        of tensors: ArraySlice<Tensor>, _ body: ([UnsafeMutableBufferPointer<Float>]) -> Void
    ) {
        guard let first = tensors.first else { return unsafe body([]) }
        first.withMutableNumbers { numbers in
            unsafe numbers.withUnsafeMutableBufferPointer { buffer in
                unsafe withNumbers(of: tensors.dropFirst()) { rest in unsafe body([buffer] + rest) }
            }
        }
    }
}

extension TrainedParameters {
    /// Copies weights and moments of process 0 to all processes.
    func broadcast(_ communicator: any Communicator) {
        if communicator.isAlone { return }
        let arenas =
            [store.weights, optimizer.firstMoments, optimizer.secondMoments] + (average.map { [$0.weights] } ?? [])
        for arena in arenas {
            arena.withMutableNumbers { numbers in
                unsafe numbers.withUnsafeMutableBytes { unsafe communicator.broadcast($0) }
            }
        }
    }
}
