import Support

/// The calls that a pickled checkpoint may make, and what they give.
enum TorchPickle {
    private static let storageTypes: [String: StoredType] = [
        "DoubleStorage": .float64, "FloatStorage": .float32, "HalfStorage": .float16, "BFloat16Storage": .bfloat16,
        "LongStorage": .int64, "IntStorage": .int32, "ShortStorage": .int16, "CharStorage": .int8,
        "ByteStorage": .uint8, "BoolStorage": .bool,
    ]

    /// Objects that stand beside the weights in real checkpoints and that the weights do not need.
    private static let opaqueClasses: Set<String> = [
        "argparse.Namespace", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "numpy.dtype",
        "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct", "numpy.ndarray",
        "_codecs.encode", "torch.device", "torch.Generator", "pathlib.PosixPath", "pathlib.WindowsPath",
        "pathlib._local.PosixPath", "datetime.datetime", "datetime.timedelta",
    ]

    /// The value of a call. Nothing runs: a function that is not known here is an error.
    static func result(
        of function: PickleValue, arguments: PickleValue, heap: [PickleValue]
    ) throws(PickleError) -> PickleValue {
        guard case .global(let name) = function, case .tuple(let references) = arguments else {
            if case .opaque(let name) = function { return .opaque(name) }
            throw PickleError(reason: "it calls something that is no function by name")
        }
        let values = references.map { heap[$0] }
        switch name {
        case "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor": return try tensor(values, heap)
        case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state":
            guard let first = values.first, case .tensor = first else {
                throw PickleError(reason: "it makes a parameter of something that is no tensor")
            }
            return first
        case "collections.OrderedDict", "collections.defaultdict", "builtins.dict", "__builtin__.dict":
            return .dictionary([])
        case "torch.Size", "builtins.tuple", "__builtin__.tuple", "builtins.list", "__builtin__.list":
            return values.first ?? .tuple([])
        case "builtins.set", "__builtin__.set", "builtins.frozenset", "__builtin__.frozenset", "builtins.slice":
            return .opaque(name)
        case _ where opaqueClasses.contains(name): return .opaque(name)
        default:
            throw PickleError(
                reason: "it asks to call \(name); swift-vit reads tensors only and runs nothing")
        }
    }

    /// The storage that a persistent id names: ("storage", type, key, device, number of elements).
    static func storage(_ id: PickleValue, heap: [PickleValue]) throws(PickleError) -> PickleValue {
        guard case .tuple(let references) = id, references.count >= 5, case .string("storage") = heap[references[0]],
            case .global(let typeName) = heap[references[1]], case .string(let key) = heap[references[2]],
            case .integer(let count) = heap[references[4]], count >= 0
        else { throw PickleError(reason: "it refers to something outside that is no storage of torch") }
        guard typeName.hasPrefix("torch."), let type = storageTypes[String(typeName.dropFirst(6))] else {
            throw PickleError(reason: "it stores numbers of the type \(typeName), which cannot be read")
        }
        return .storage(TorchStorage(key: key, type: type, count: count))
    }

    /// A view of a storage: (storage, offset, size, stride, …), checked to lie inside.
    private static func tensor(_ values: [PickleValue], _ heap: [PickleValue]) throws(PickleError) -> PickleValue {
        guard values.count >= 4, case .storage(let storage) = values[0], case .integer(let offset) = values[1],
            let shape = integers(values[2], heap), let strides = integers(values[3], heap)
        else { throw PickleError(reason: "it makes a tensor of something that is no storage with a shape") }
        guard shape.count == strides.count, offset >= 0, shape.allSatisfy({ $0 >= 0 }),
            strides.allSatisfy({ $0 >= 0 }), let count = elementCount(shape), count <= storage.count,
            fits(shape, strides, offset: offset, count: storage.count)
        else {
            throw PickleError(
                reason: "it makes a tensor of shape \(shape) that does not lie inside its storage of \(storage.count)")
        }
        return .tensor(TorchTensor(storage: storage, offset: offset, shape: shape, strides: strides))
    }

    private static func fits(_ shape: [Int], _ strides: [Int], offset: Int, count: Int) -> Bool {
        if shape.contains(0) { return offset <= count }
        var last = offset
        for (extent, stride) in zip(shape, strides) {
            let (reach, overflow) = (extent - 1).multipliedReportingOverflow(by: stride)
            let (sum, more) = last.addingReportingOverflow(reach)
            if overflow || more { return false }
            last = sum
        }
        return last < count
    }

    private static func integers(_ value: PickleValue, _ heap: [PickleValue]) -> [Int]? {
        let references: [PickleValue.Reference]
        switch value {
        case .tuple(let list), .list(let list): references = list
        default: return nil
        }
        var integers: [Int] = []
        for reference in references {
            guard case .integer(let integer) = heap[reference] else { return nil }
            integers.append(integer)
        }
        return integers
    }
}
