import Support
import TensorFiles
import TestTools
import Testing

/// A pickle is read, never run; what it may build is bounded by what the file holds.
struct PickleTests {
    /// An entry of an archive made by hand.
    struct Entry {
        var name: String
        var content: [UInt8]
        var isDeflated = false
        var size: Int?
        var checksum: UInt32 = 0
    }

    static func little(_ value: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(value >> (8 * $0) & 0xFF) } }

    static func zip(_ entries: [Entry]) -> [UInt8] {
        var bytes: [UInt8] = []
        var directory: [UInt8] = []
        for entry in entries {
            let start = bytes.count
            let size = entry.size ?? entry.content.count
            let common =
                little(20, 2) + little(0, 2) + little(entry.isDeflated ? 8 : 0, 2) + little(0, 4)
                + little(Int(entry.checksum), 4) + little(entry.content.count, 4) + little(size, 4)
                + little(entry.name.utf8.count, 2) + little(0, 2)
            bytes += [0x50, 0x4B, 3, 4] + common + Array(entry.name.utf8) + entry.content
            directory += [0x50, 0x4B, 1, 2] + little(20, 2) + common + little(0, 10) + little(start, 4)
            directory += Array(entry.name.utf8)
        }
        let end = little(0, 4) + little(entries.count, 2) + little(entries.count, 2) + little(directory.count, 4)
        return bytes + directory + [0x50, 0x4B, 5, 6] + end + little(bytes.count, 4) + little(0, 2)
    }

    /// The file that a pickle and a storage of 16 bytes make.
    static func file(_ pickle: [UInt8]) throws -> TensorFile {
        let scratch = try ScratchDirectory()
        let entries = [
            Entry(name: "archive/data.pkl", content: pickle),
            Entry(name: "archive/data/0", content: [UInt8](repeating: 0, count: 16)),
        ]
        return try TensorFile.open(try scratch.write(zip(entries), to: "model.pth"))
    }

    private func error(_ pickle: [UInt8], data: Int = 16) throws -> FileError {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(
            Self.zip([
                Entry(name: "archive/data.pkl", content: pickle),
                Entry(name: "archive/data/0", content: [UInt8](repeating: 0, count: data)),
            ]), to: "model.pth")
        let error = try #require(openingError(path))
        #expect(error.path == path && error.kind == .malformed)
        return error
    }

    static func code(_ text: String) -> [UInt8] { Array(text.utf8) }

    static func text(_ text: String) -> [UInt8] { code("X") + little(text.utf8.count, 4) + code(text) }

    /// A tensor over storage 0.
    static func tensor(offset: Int, count: Int, shape: [Int], strides: [Int], type: String = "FloatStorage")
        -> [UInt8]
    {
        func number(_ value: Int) -> [UInt8] { [0x8A, 8] + little(value, 8) }
        func tuple(_ values: [Int]) -> [UInt8] { code("(") + values.flatMap(number) + code("t") }
        return code("ctorch._utils\n_rebuild_tensor_v2\n((") + text("storage") + code("ctorch\n\(type)\n") + text("0")
            + text("cpu") + number(count) + code("tQ") + number(offset) + tuple(shape) + tuple(strides)
            + [0x89] + code("NtR")
    }

    private static func dictionary(_ tensor: [UInt8]) -> [UInt8] {
        [0x80, 2] + code("}") + text("x") + tensor + code("s.")
    }

    @Test(arguments: [
        ("cos\nsystem\n", "os.system"), ("cposix\nsystem\n", "posix.system"), ("cbuiltins\neval\n", "builtins.eval"),
        ("c__builtin__\ngetattr\n", "__builtin__.getattr"), ("ctorch.hub\nload\n", "torch.hub.load"),
        ("csubprocess\nPopen\n", "subprocess.Popen"),
    ])
    func callsAreKeptAndNeverRun(_ global: String, _ name: String) throws {
        let scratch = try ScratchDirectory()
        let trace = scratch.path + "/owned"
        let call = Self.code(global) + Self.text("touch \(trace)") + [0x85]
        for way in [Self.code("R"), [0x81], Self.code("}") + [0x92]] {
            let alone = try Self.file([0x80, 2] + call + way + Self.code("."))
            #expect(alone.tensors.isEmpty)
            #expect(alone.summary == "the result of \(name), of which nothing is run")
            // With a state and members, and called itself: the tensor beside it is read.
            let object = call + way + Self.code("}b)R") + Self.text("k") + Self.code("Ns")
            let beside = try Self.file(
                [0x80, 2] + Self.code("}") + Self.text("a") + object + Self.code("s") + Self.text("x")
                    + Self.tensor(offset: 0, count: 4, shape: [4], strides: [1]) + Self.code("s."))
            #expect(beside.tensors.map(\.name) == ["x"])
        }
        let stacked = Self.text("os") + Self.text("system") + [0x93] + Self.text("ls") + [0x85] + Self.code("R.")
        #expect(try Self.file([0x80, 4] + stacked).summary?.contains("os.system") == true)
        #expect(try Files.kind(of: trace) == .missing)
    }

    @Test(arguments: [
        ([0x80, 2], "ends before"), (code("."), "where there is none"), (code("(("), "ends before"),
        (code("t."), "never opened"),
        (code("N)R."), "no function by name"), (code("h\u{5}."), "never kept"), (code("NNa."), "no list"),
        (code("]NNs."), "no dictionary"), (code("X\u{FF}"), "ends inside"), ([0xFF], "unknown instruction 0xff"),
        (code("i__main__\nx\n"), "never opened"),
        (code("NQ."), "no storage of torch"), ([0x8B, 0xFF, 0xFF, 0xFF, 0xFF], "ends inside"),
        ([0x8D] + [UInt8](repeating: 0xFF, count: 8), "ends inside"),
    ])
    func brokenPickles(_ pickle: [UInt8], _ words: String) throws {
        let error = try error(pickle)
        #expect(error.description.contains(words), "\(error)")
    }

    @Test func anEmptyDictionaryHoldsNoTensors() throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(
            Self.zip([Entry(name: "archive/data.pkl", content: Self.code("}."))]), to: "model.pth")
        #expect(try TensorFile.open(path).tensors.isEmpty)
    }

    /// Text, numbers and truth values beside the tensors, and those in a dictionary.
    @Test func notesBesideTheTensorsAreRead() throws {
        let scratch = try ScratchDirectory()
        let arguments =
            Self.code("}") + Self.text("lr") + Self.code("G") + [0x3F, 0xE0] + Self.little(0, 6) + Self.code("s")
        let pickle =
            [0x80, 2] + Self.code("}") + Self.text("arch") + Self.text("vit") + Self.code("s") + Self.text("epoch")
            + Self.code("K\u{7}s") + Self.text("args") + arguments + Self.code("s") + Self.text("none")
            + Self.code("Ns.")
        let path = try scratch.write(
            Self.zip([Entry(name: "archive/data.pkl", content: pickle)]), to: "model.pth")
        #expect(
            try TensorFile.open(path).notes == ["arch": .string("vit"), "epoch": .integer(7), "args.lr": .number(0.5)])
    }

    @Test func tensorsHaveToLieInsideTheirStorage() throws {
        let bad: [(Int, Int, [Int], [Int])] = [
            (1, 4, [4], [1]), (0, 4, [2, 3], [3, 1]), (0, 4, [4], [2]), (-1, 4, [1], [1]), (0, 4, [-1], [1]),
            (0, 4, [Int.max, Int.max], [1, 1]), (0, 4, [2], [Int.max]), (Int.max, 4, [2], [1]), (0, 4, [1 << 40], [0]),
            (0, 4, [2], [-1]), (0, 4, [2, 2], [1]),
        ]
        for (offset, count, shape, strides) in bad {
            let error = try error(
                Self.dictionary(Self.tensor(offset: offset, count: count, shape: shape, strides: strides)))
            #expect(error.description.contains("does not lie inside its storage"), "\(shape) \(strides): \(error)")
        }
        let long = try error(Self.dictionary(Self.tensor(offset: 0, count: 5, shape: [4], strides: [1])))
        #expect(long.description.contains("16 bytes for x, whose storage should hold 5 numbers"))
    }

    @Test func deepAndLongPicklesEnd() throws {
        let deep =
            [UInt8](repeating: UInt8(ascii: "]"), count: 300_000)
            + [UInt8](repeating: UInt8(ascii: "a"), count: 299_999)
        #expect(try Self.file(deep + Self.code(".")).summary == "a list")
        let tuples = Self.code("N") + [UInt8](repeating: 0x85, count: 1_000_000)
        #expect(try Self.file(tuples + Self.code(".")).tensors.isEmpty)
        // Values, marks, and values that are kept under a number.
        for instruction in [UInt8(ascii: "N"), UInt8(ascii: "("), 0x94] {
            let many = Self.code("N") + [UInt8](repeating: instruction, count: 4_100_000)
            #expect(try error(many).description.contains("too many values"), "\(instruction)")
        }
    }

    @Test func stridedTensorsAreLaidOut() throws {
        let scratch = try ScratchDirectory()
        let numbers = (0..<6).flatMap { index in Self.little(Int(Float(index).bitPattern), 4) }
        let path = try scratch.write(
            Self.zip([
                Entry(
                    name: "m/data.pkl",
                    content: Self.dictionary(Self.tensor(offset: 1, count: 6, shape: [2, 2], strides: [1, 3]))),
                Entry(name: "m/data/0", content: numbers),
            ]), to: "model.pth")
        let tensor = try #require(try TensorFile.open(path).tensors.first { $0.name == "x" })
        #expect(try tensor.shape == [2, 2] && tensor.values() == [1, 4, 2, 5])
    }

    @Test func zipBombsAreRefused() throws {
        let scratch = try ScratchDirectory()
        let bomb = Entry(name: "x.npy", content: [UInt8](repeating: 0, count: 100), isDeflated: true, size: 1_000_000)
        let path = try scratch.write(Self.zip([bomb]), to: "model.npz")
        #expect(
            try #require(openingError(path)).description.contains("claims that x.npy unpacks from 100 to 1000000"))
        // A stored block of deflate whose checksum is wrong.
        let block: [UInt8] = [1, 2, 0, 0xFD, 0xFF, 65, 66]
        let damaged = Entry(name: "x.npy", content: block, isDeflated: true, size: 2, checksum: 1)
        try scratch.write(Self.zip([damaged]), to: "model.npz")
        #expect(try #require(openingError(path)).description.contains("damaged x.npy"))
        try scratch.write(Self.zip([Entry(name: "readme.txt", content: block)]), to: "model.npz")
        #expect(try #require(openingError(path)).description.contains("zip archive without weights"))
    }

    /// Each of the entries may be what it claims to be; together they are no weights.
    @Test(arguments: [6, 129])
    func archivesOfManyBombsAreRefused(count: Int) throws {
        let scratch = try ScratchDirectory()
        let entries = (0..<count).map {
            Entry(
                name: "\($0).npy", content: [UInt8](repeating: 0, count: 3_000_000 / count), isDeflated: true,
                size: 3_000_000_000 / count)
        }
        let path = try scratch.write(Self.zip(entries), to: "model.npz")
        let error = try #require(openingError(path))
        #expect(error.kind == .malformed && error.reason.contains("claim to unpack to more than 96"), "\(error)")
        // What weights may shrink to is read: here, to find it damaged.
        let honest = entries.map {
            Entry(name: $0.name, content: $0.content, isDeflated: true, size: 60_000_000 / count)
        }
        try scratch.write(Self.zip(honest), to: "model.npz")
        #expect(try #require(openingError(path)).description.contains("damaged 0.npy"))
    }

    @Test func torchScriptIsNamed() throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(
            Self.zip([Entry(name: "m/data.pkl", content: []), Entry(name: "m/code/a.py", content: [])]), to: "script.pt"
        )
        #expect(try #require(openingError(path)).description.contains("TorchScript"))
    }
}
