import Support

/// The calls that a pickled checkpoint makes, and what they give.
enum TorchPickle {
    private static let storageTypes: [String: StoredType] = [
        "DoubleStorage": .float64, "FloatStorage": .float32, "HalfStorage": .float16, "BFloat16Storage": .bfloat16,
        "LongStorage": .int64, "IntStorage": .int32, "ShortStorage": .int16, "CharStorage": .int8,
        "ByteStorage": .uint8, "BoolStorage": .bool,
    ]

    /// The value of a call. Nothing runs: what is not known here gives an object that bears the function's name.
    static func result(
        of function: PickleValue, arguments: PickleValue, heap: [PickleValue]
    ) throws(PickleError) -> PickleValue {
        let name: String
        switch function {
        case .global(let global): name = global
        case .object(let made, _): return .object(made, state: nil)
        default: throw PickleError(reason: "it calls something that is no function by name")
        }
        guard case .tuple(let references) = arguments else {
            throw PickleError(reason: "it calls \(name) with something that is no list of arguments")
        }
        // What makes a tensor of a class of the program's own calls the function that makes a plain one.
        if name == "torch._tensor._rebuild_from_type_v2" || name == "torch._tensor._rebuild_from_type",
            references.count >= 3, case .global(let inner) = heap[references[0]],
            case .tuple(let innerArguments) = heap[references[2]]
        {
            return try value(inner, innerArguments, heap)
        }
        return try value(name, references, heap)
    }

    private static func value(
        _ name: String, _ references: [PickleValue.Reference], _ heap: [PickleValue]
    ) throws(PickleError) -> PickleValue {
        let first = references.first.map { heap[$0] }
        switch name {
        case "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor":
            return try tensor(references.prefix(4).map { heap[$0] }, heap)
        case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state":
            switch first {
            case .tensor(let tensor): return .tensor(tensor)
            case .unreadableTensor(let type): return .unreadableTensor(type)
            default: throw PickleError(reason: "it makes a parameter of something that is no tensor")
            }
        case _ where name.hasPrefix("torch._utils._rebuild_"): return .unreadableTensor(name)
        case "collections.OrderedDict", "builtins.dict", "__builtin__.dict": return dictionary(first, heap)
        case "collections.defaultdict": return .dictionary([])
        case "torch.Size", "builtins.tuple", "__builtin__.tuple", "builtins.list", "__builtin__.list", "builtins.set",
            "__builtin__.set", "builtins.frozenset", "__builtin__.frozenset":
            return first ?? .tuple([])
        case "copyreg._reconstructor", "copy_reg._reconstructor", "copyreg.__newobj__", "copy_reg.__newobj__":
            guard case .global(let made)? = first else { return .object(name, state: nil) }
            return .object(made, state: nil)
        default: return .object(name, state: nil)
        }
    }

    /// A dictionary, of the pairs that it is made from where there are any, as Python 2 does.
    private static func dictionary(_ argument: PickleValue?, _ heap: [PickleValue]) -> PickleValue {
        if let argument, case .dictionary = argument { return argument }
        guard let pairs = argument?.elements else { return .dictionary([]) }
        var members: [(key: PickleValue.Reference, value: PickleValue.Reference)] = []
        for pair in pairs {
            guard let both = heap[pair].elements, both.count == 2 else { continue }
            members.append((both[0], both[1]))
        }
        return .dictionary(members)
    }

    /// What a persistent id names: ("storage", type, key, device, number of elements, and in torch's old format the part
    /// of a storage), or in the old format ("module", class, and its source).
    static func external(_ id: PickleValue, heap: [PickleValue]) throws(PickleError) -> PickleValue {
        guard case .tuple(let references) = id, let kind = references.first else {
            throw PickleError(reason: "it refers to something outside that is no storage of torch")
        }
        if case .string("module") = heap[kind], references.count >= 2 { return heap[references[1]] }
        guard case .string("storage") = heap[kind], references.count >= 5,
            case .global(let typeName) = heap[references[1]], case .string(let key) = heap[references[2]],
            case .integer(let count) = heap[references[4]], count >= 0
        else { throw PickleError(reason: "it refers to something outside that is no storage of torch") }
        guard typeName.hasPrefix("torch."), let type = storageTypes[String(typeName.dropFirst(6))] else {
            return .object(typeName, state: nil)
        }
        if references.count >= 6, let part = heap[references[5]].elements {
            guard part.count == 3, let view = integers(part.dropFirst(), heap), view.allSatisfy({ $0 >= 0 }),
                view[0] <= count, view[1] <= count - view[0]
            else {
                throw PickleError(reason: "it takes a part of a storage that does not lie inside")
            }
            return .storage(TorchStorage(key: key, type: type, first: view[0], count: view[1]))
        }
        return .storage(TorchStorage(key: key, type: type, count: count))
    }

    /// torch's own limit.
    private static let mostDimensions = 64

    /// A view of a storage: (storage, offset, size, stride, …), checked to lie inside.
    private static func tensor(_ values: [PickleValue], _ heap: [PickleValue]) throws(PickleError) -> PickleValue {
        if case .object(let type, _)? = values.first { return .unreadableTensor(type) }
        guard values.count >= 4, case .storage(let storage) = values[0], case .integer(let offset) = values[1],
            let extents = values[2].elements, extents.count <= mostDimensions, let shape = integers(extents[...], heap),
            let steps = values[3].elements, steps.count <= mostDimensions, let strides = integers(steps[...], heap)
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

    private static func integers(
        _ references: ArraySlice<PickleValue.Reference>, _ heap: [PickleValue]
    ) -> [Int]? {
        var integers: [Int] = []
        for reference in references {
            guard case .integer(let integer) = heap[reference] else { return nil }
            integers.append(integer)
        }
        return integers
    }
}
