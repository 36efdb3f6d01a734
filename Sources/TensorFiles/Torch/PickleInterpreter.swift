import Support

/// Interprets a pickle without running anything of it: calls are looked at, and answered for the few functions that
/// build tensors and containers; every other call makes an inert object with the name of what was called.
///
/// Source: Python's pickletools, protocols 1 to 5.
struct PickleInterpreter {
    private let bytes: Bytes
    /// The next byte; after `run`, the one behind the pickle.
    private(set) var position: Int
    /// Every value made so far.
    private(set) var heap: [PickleValue] = []
    private var stack: [PickleValue.Reference] = []
    /// The heights of the stack at the marks.
    private var marks: [Int] = []
    private var memo: [Int: PickleValue.Reference] = [:]
    /// The members of containers that calls looked through.
    private var lookedThroughCount = 0

    /// Far more than the largest checkpoint's pickle makes.
    private static let mostValues = 3_000_000

    /// - Parameter start: where the pickle begins.
    init(_ bytes: Bytes, at start: Int = 0) {
        self.bytes = bytes
        position = start
    }

    /// Runs to the end and gives the one value left.
    mutating func run() throws(PickleError) -> PickleValue.Reference {
        while true {
            let code = try byte()
            if code == UInt8(ascii: ".") { return try pop() }
            try step(code)
            guard max(heap.count, stack.count, marks.count, memo.count, lookedThroughCount) <= Self.mostValues else {
                throw PickleError(reason: "it makes too many values")
            }
        }
    }

    private mutating func step(_ code: UInt8) throws(PickleError) {
        if try pushSimple(code) { return }
        if try pushText(code) { return }
        if try moveOnStack(code) { return }
        if try build(code) { return }
        if try call(code) { return }
        throw PickleError(reason: "it has the unknown instruction 0x\(String(code, radix: 16))")
    }

    // MARK: Values

    private mutating func pushSimple(_ code: UInt8) throws(PickleError) -> Bool {
        switch code {
        case 0x80: _ = try byte()  // PROTO
        case 0x95: _ = try take(8)  // FRAME
        case 0x98: break  // READONLY_BUFFER
        case 0x97: push(.bytes)  // NEXT_BUFFER
        // Classes by number, in a registry of the program's own.
        case 0x82: push(.global("extension \(try number(1))"))
        case 0x83: push(.global("extension \(try number(2))"))
        case 0x84: push(.global("extension \(try number(4))"))
        case UInt8(ascii: "N"): push(.none)
        case 0x88: push(.bool(true))
        case 0x89: push(.bool(false))
        case UInt8(ascii: "J"): push(.integer(Int(Int32(truncatingIfNeeded: try number(4)))))
        case UInt8(ascii: "K"): push(.integer(try number(1)))
        case UInt8(ascii: "M"): push(.integer(try number(2)))
        case 0x8A: push(try long(length: try number(1)))
        case 0x8B: push(try long(length: try number(4)))
        case UInt8(ascii: "G"):
            let bits = try take(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            push(.float(Double(bitPattern: bits)))
        default: return false
        }
        return true
    }

    private mutating func pushText(_ code: UInt8) throws(PickleError) -> Bool {
        switch code {
        case UInt8(ascii: "X"): try pushString(length: try number(4))
        case 0x8C: try pushString(length: try number(1))
        case 0x8D: try pushString(length: try number(8))
        // Text of Python 2.
        case UInt8(ascii: "T"): try pushString(length: try number(4))
        case UInt8(ascii: "U"): try pushString(length: try number(1))
        case UInt8(ascii: "B"): try pushBytes(length: try number(4))
        case UInt8(ascii: "C"): try pushBytes(length: try number(1))
        case 0x8E, 0x96: try pushBytes(length: try number(8))
        case UInt8(ascii: "c"): push(.global("\(try line()).\(try line())"))
        case 0x93:
            guard case .string(let name) = heap[try pop()], case .string(let module) = heap[try pop()] else {
                throw PickleError(reason: "it names a class by something other than text")
            }
            push(.global("\(module).\(name)"))
        default: return false
        }
        return true
    }

    private mutating func pushString(length: Int) throws(PickleError) {
        // Bytes of Python 2 are text in name alone.
        let text = String(validating: try take(length), as: UTF8.self)
        push(text.map { .string($0) } ?? .bytes)
    }

    private mutating func pushBytes(length: Int) throws(PickleError) {
        _ = try take(length)
        push(.bytes)
    }

    /// A whole number of any length; those beyond 64 bits are of no use here.
    private mutating func long(length: Int) throws(PickleError) -> PickleValue {
        let digits = try take(length)
        guard digits.count <= 8 else { return .object("int", state: nil) }
        let isNegative = (digits.last ?? 0) & 0x80 != 0
        let value = digits.reversed().reduce(isNegative ? -1 : 0) { $0 << 8 | Int($1) }
        return .integer(value)
    }

    // MARK: Stack and memo

    private mutating func moveOnStack(_ code: UInt8) throws(PickleError) -> Bool {
        switch code {
        case UInt8(ascii: "("): marks.append(stack.count)
        case UInt8(ascii: "0"): _ = try pop()
        case UInt8(ascii: "1"): _ = try popToMark()
        case UInt8(ascii: "2"): stack.append(try top())
        case UInt8(ascii: "h"): try recall(try number(1))
        case UInt8(ascii: "j"): try recall(try number(4))
        case UInt8(ascii: "q"): memo[try number(1)] = try top()
        case UInt8(ascii: "r"): memo[try number(4)] = try top()
        case 0x94: memo[memo.count] = try top()
        default: return false
        }
        return true
    }

    private mutating func recall(_ index: Int) throws(PickleError) {
        guard let reference = memo[index] else { throw PickleError(reason: "it recalls a value that it never kept") }
        stack.append(reference)
    }

    private mutating func push(_ value: PickleValue) {
        stack.append(heap.count)
        heap.append(value)
    }

    /// What lies above the last mark is out of reach of instructions that take single values.
    private func top() throws(PickleError) -> PickleValue.Reference {
        guard let top = stack.last, stack.count > marks.last ?? 0 else {
            throw PickleError(reason: "it takes a value where there is none")
        }
        return top
    }

    private mutating func pop() throws(PickleError) -> PickleValue.Reference {
        let top = try top()
        stack.removeLast()
        return top
    }

    private mutating func popToMark() throws(PickleError) -> [PickleValue.Reference] {
        guard let mark = marks.popLast(), mark <= stack.count else {
            throw PickleError(reason: "it closes a list that it never opened")
        }
        defer { stack.removeSubrange(mark...) }
        return Array(stack[mark...])
    }

    // MARK: Containers

    private mutating func build(_ code: UInt8) throws(PickleError) -> Bool {
        switch code {
        case UInt8(ascii: ")"): push(.tuple([]))
        case 0x85: push(.tuple([try pop()]))
        case 0x86: push(.tuple(try pop(2)))
        case 0x87: push(.tuple(try pop(3)))
        case UInt8(ascii: "t"): push(.tuple(try popToMark()))
        case UInt8(ascii: "]"), 0x8F: push(.list([]))
        case UInt8(ascii: "l"), 0x91: push(.list(try popToMark()))
        case UInt8(ascii: "a"): try append([try pop()])
        case UInt8(ascii: "e"), 0x90: try append(try popToMark())
        case UInt8(ascii: "}"): push(.dictionary([]))
        case UInt8(ascii: "d"):
            let items = try popToMark()
            push(.dictionary([]))
            try set(items)
        case UInt8(ascii: "s"): try set(try pop(2))
        case UInt8(ascii: "u"): try set(try popToMark())
        default: return false
        }
        return true
    }

    private mutating func pop(_ count: Int) throws(PickleError) -> [PickleValue.Reference] {
        var values: [PickleValue.Reference] = []
        for _ in 0..<count { values.append(try pop()) }
        return values.reversed()
    }

    private mutating func append(_ items: [PickleValue.Reference]) throws(PickleError) {
        let reference = try top()
        switch heap[reference] {
        case .list(var list):
            // Emptied first, so that the array is extended in place.
            heap[reference] = .none
            list += items
            heap[reference] = .list(list)
        case .object: heap[reference] = .list(items)  // a class of lists
        default: throw PickleError(reason: "it appends to something that is no list")
        }
    }

    private mutating func set(_ items: [PickleValue.Reference]) throws(PickleError) {
        guard items.count % 2 == 0 else { throw PickleError(reason: "it gives a key without a value") }
        let reference = try top()
        var members: [(key: PickleValue.Reference, value: PickleValue.Reference)] = []
        switch heap[reference] {
        case .dictionary(let known): members = known
        case .object: break  // a class of dictionaries
        default: throw PickleError(reason: "it sets a member of something that is no dictionary")
        }
        heap[reference] = .none
        for index in stride(from: 0, to: items.count, by: 2) { members.append((items[index], items[index + 1])) }
        heap[reference] = .dictionary(members)
    }

    // MARK: Calls

    private mutating func call(_ code: UInt8) throws(PickleError) -> Bool {
        switch code {
        case UInt8(ascii: "R"), 0x81:
            let arguments = try pop()
            try call(try pop(), arguments)
        case 0x92:
            _ = try pop()
            let arguments = try pop()
            try call(try pop(), arguments)
        case UInt8(ascii: "o"):
            guard let function = try popToMark().first else {
                throw PickleError(reason: "it calls something that is no function by name")
            }
            push(.tuple([]))
            try call(function, try pop())
        case UInt8(ascii: "i"):
            let name = "\(try line()).\(try line())"
            _ = try popToMark()
            push(.object(name, state: nil))
        case UInt8(ascii: "b"):
            // The state of a dictionary (torch hangs version numbers on it) is not needed.
            let state = try pop()
            let object = try top()
            if case .object(let name, _) = heap[object] { heap[object] = .object(name, state: state) }
        case UInt8(ascii: "Q"):
            push(try TorchPickle.external(heap[try pop()], heap: heap))
        default: return false
        }
        return true
    }

    private mutating func call(
        _ function: PickleValue.Reference, _ arguments: PickleValue.Reference
    ) throws(PickleError) {
        let result = try TorchPickle.result(of: heap[function], arguments: heap[arguments], heap: heap)
        // A short pickle could have a long container looked through, or copied, without end.
        for container in [heap[arguments], heap[arguments].elements?.first.map { heap[$0] }, result] {
            if case .dictionary(let members)? = container { lookedThroughCount += members.count }
            lookedThroughCount += container?.elements?.count ?? 0
        }
        push(result)
    }

    // MARK: Bytes

    private mutating func byte() throws(PickleError) -> UInt8 {
        guard let byte = bytes.integer(UInt8.self, at: position) else {
            throw PickleError(reason: "it ends before its last instruction")
        }
        position += 1
        return byte
    }

    private mutating func take(_ count: Int) throws(PickleError) -> [UInt8] {
        guard let slice = bytes.slice(position, count) else {
            throw PickleError(reason: "it ends inside a value")
        }
        position += count
        return slice.array
    }

    /// An unsigned little-endian number of `size` bytes; one that does not fit is beyond any length.
    private mutating func number(_ size: Int) throws(PickleError) -> Int {
        let value = try take(size).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Int(clamping: value)
    }

    private mutating func line() throws(PickleError) -> String {
        var characters: [UInt8] = []
        while true {
            let character = try byte()
            if character == UInt8(ascii: "\n") { return String(decoding: characters, as: UTF8.self) }
            characters.append(character)
        }
    }
}
