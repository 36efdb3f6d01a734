import COneDNN
import Synchronization

/// A oneDNN primitive, compiled for one shape; may run on several threads at a time.
@safe
final class Primitive: @unchecked Sendable {
    let pointer: OpaquePointer

    private init(_ pointer: OpaquePointer) { unsafe self.pointer = unsafe pointer }

    deinit { unsafe vit_primitive_destroy(pointer) }

    /// Compiles with `create`, which gets the place for the pointer and returns a oneDNN status.
    static func make(_ what: @autoclosure () -> String, _ create: (UnsafeMutablePointer<OpaquePointer?>) -> Int32)
        -> Primitive
    {
        // Blocking is chosen for the team of the thread that compiles; the team that runs has one thread.
        vit_use_calling_thread_only()
        var pointer: OpaquePointer?
        let status = unsafe create(&pointer)
        guard status == 0, let made = unsafe pointer else {
            preconditionFailure("oneDNN cannot compile \(what()): \(statusText(status))")
        }
        return unsafe Primitive(made)
    }
}

/// What oneDNN means by `status`.
func statusText(_ status: Int32) -> String {
    unsafe String(cString: vit_status_text(status))
}

/// Stops the program where oneDNN refuses to run what it has compiled: an error of this package, never of the input.
@inline(__always)
func check(_ status: Int32, _ operation: StaticString) {
    precondition(status == 0, "oneDNN fails in \(operation): \(statusText(status))")
}

/// The shape of a matrix product, as a key.
struct MatmulShape: Hashable {
    var rows: Int
    var inner: Int
    var columns: Int
    var aStrides: (Int, Int)
    /// nil: packed.
    var bStrides: (Int, Int)?
    var cStride: Int
    var residualStride: Int?
    var scale: Float = 1
    var hasBias = false
    var hasColumnScale = false
    var accumulates = false

    static func == (one: MatmulShape, other: MatmulShape) -> Bool {
        one.rows == other.rows && one.inner == other.inner && one.columns == other.columns
            && one.aStrides == other.aStrides && one.bStrides?.0 == other.bStrides?.0
            && one.bStrides?.1 == other.bStrides?.1 && one.cStride == other.cStride
            && one.residualStride == other.residualStride && one.scale == other.scale
            && one.hasBias == other.hasBias && one.hasColumnScale == other.hasColumnScale
            && one.accumulates == other.accumulates
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(rows)
        hasher.combine(inner)
        hasher.combine(columns)
        hasher.combine(cStride)
    }

    var face: vit_matmul_shape {
        var face = vit_matmul_shape()
        face.rows = Int64(rows)
        face.inner = Int64(inner)
        face.columns = Int64(columns)
        face.a_row_stride = Int64(aStrides.0)
        face.a_column_stride = Int64(aStrides.1)
        face.b_row_stride = Int64(bStrides?.0 ?? 0)
        face.b_column_stride = Int64(bStrides?.1 ?? 0)
        face.c_row_stride = Int64(cStride)
        face.residual_row_stride = Int64(residualStride ?? 0)
        face.scale = scale
        face.packs_b = bStrides == nil ? 1 : 0
        face.has_bias = hasBias ? 1 : 0
        face.has_column_scale = hasColumnScale ? 1 : 0
        face.accumulates = accumulates ? 1 : 0
        face.has_residual = residualStride == nil ? 0 : 1
        return face
    }
}

/// Compiles primitives once and keeps them.
final class PrimitiveCache: Sendable {
    private let primitives = Mutex<[MatmulShape: Primitive]>([:])
    private let layouts = Mutex<[PackedKey: PackedLayout]>([:])

    private struct PackedKey: Hashable {
        let inner: Int
        let columns: Int
    }

    /// The primitive for `key`, compiled by `make` the first time.
    func primitive(for key: MatmulShape, make: () -> Primitive) -> Primitive {
        if let known = primitives.withLock({ $0[key] }) { return known }
        let made = make()
        return primitives.withLock { table in
            if let known = table[key] { return known }
            table[key] = made
            return made
        }
    }

    /// A product; where its right side is packed, every number of rows reads the same layout.
    func product(_ shape: MatmulShape) -> Primitive {
        guard shape.bStrides == nil else { return matmul(shape) }
        return primitive(for: shape) {
            let reference = packedLayout(inner: shape.inner, columns: shape.columns).reference
            return unsafe Primitive.make("matmul \(shape)") {
                var face = shape.face
                return unsafe vit_matmul_create($0, &face, reference.pointer)
            }
        }
    }

    /// How a right side (inner, columns) is packed.
    func packedLayout(inner: Int, columns: Int) -> PackedLayout {
        let key = PackedKey(inner: inner, columns: columns)
        if let known = layouts.withLock({ $0[key] }) { return known }
        let made = makeLayout(inner: inner, columns: columns)
        layouts.withLock { $0[key] = made }
        return made
    }

    private func makeLayout(inner: Int, columns: Int) -> PackedLayout {
        let reference = matmul(
            MatmulShape(
                rows: CPUEngine.rowsPerTask, inner: inner, columns: columns, aStrides: (inner, 1), bStrides: nil,
                cStride: columns))
        return PackedLayout(
            reference: reference, blockWidth: Int(unsafe vit_packed_block_width(reference.pointer)))
    }

    func matmul(_ shape: MatmulShape) -> Primitive {
        primitive(for: shape) {
            unsafe Primitive.make("matmul \(shape)") {
                var face = shape.face
                return unsafe vit_matmul_create($0, &face, nil)
            }
        }
    }
}
