import Support

/// What a pickle builds: numbers, text, containers, and the few objects that a checkpoint is made of.
///
/// Containers refer to their contents by index into the interpreter's heap, so that a pickle nested a million deep is
/// only a long array, also when it is released.
enum PickleValue {
    /// The place of a value in the heap.
    typealias Reference = Int

    case none
    case bool(Bool)
    case integer(Int)
    case float(Double)
    case string(String)
    case bytes
    case tuple([Reference])
    case list([Reference])
    case dictionary([(key: Reference, value: Reference)])
    /// A class or function by name; nothing is looked up or loaded.
    case global(String)
    case storage(TorchStorage)
    case tensor(TorchTensor)
    /// A view of numbers that cannot be read (complex, sparse, on no device), with the type or function that makes it.
    case unreadableTensor(String)
    /// Anything else, by the name of its class or of the function that would have made it; nothing of it is run.
    case object(String, state: Reference?)

    /// The contents of a tuple or a list; nil for everything else.
    var elements: [Reference]? {
        switch self {
        case .tuple(let elements), .list(let elements): elements
        default: nil
        }
    }

    /// A truth value, a number or text as JSON; nil for everything else.
    var json: JSON? {
        switch self {
        case .bool(let value): .bool(value)
        case .integer(let value): .integer(value)
        case .float(let value): .number(value)
        case .string(let value): .string(value)
        default: nil
        }
    }
}

/// The numbers that tensors look into, by their name in the archive.
struct TorchStorage {
    var key: String
    var type: StoredType
    /// The first element, in a storage that is a part of another.
    var first = 0
    /// The number of elements.
    var count: Int
}

/// A view of a storage, as torch pickles it.
struct TorchTensor {
    var storage: TorchStorage
    var offset: Int
    var shape: [Int]
    var strides: [Int]
}

/// Why a pickle is refused.
struct PickleError: Error {
    var reason: String
}
