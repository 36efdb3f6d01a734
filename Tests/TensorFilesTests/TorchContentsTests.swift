import Support
import TensorFiles
import TestTools
import Testing

/// Tensors are found wherever in a pickle they lie, and in torch's old format too.
struct TorchContentsTests {
    private func code(_ text: String) -> [UInt8] { PickleTests.code(text) }

    private func text(_ text: String) -> [UInt8] { PickleTests.text(text) }

    private func error(_ pickle: [UInt8]) throws -> FileError {
        let scratch = try ScratchDirectory()
        let entries = [PickleTests.Entry(name: "archive/data.pkl", content: pickle)]
        return try #require(openingError(try scratch.write(PickleTests.zip(entries), to: "model.pth")))
    }

    /// Dictionaries, lists, objects and modules are all looked into, and those that hold themselves end.
    @Test func tensorsAreFoundWhereverTheyLie() throws {
        let x = PickleTests.tensor(offset: 0, count: 4, shape: [4], strides: [1])
        func entry(_ name: String, _ value: [UInt8]) -> [UInt8] { text(name) + value + code("s") }
        func object(_ state: [UInt8]) -> [UInt8] { code("c__main__\nNet\n)") + [0x81] + state + code("b") }
        func module(_ parameters: [UInt8], _ buffers: [UInt8], _ modules: [UInt8]) -> [UInt8] {
            object(
                code("}") + entry("_parameters", code("}") + parameters)
                    + entry("_buffers", code("}") + buffers) + entry("_modules", code("}") + modules)
                    + entry(
                        "_non_persistent_buffers_set",
                        code("c__builtin__\nset\n](") + text("cache") + code("e") + [0x85]
                            + code("R")))
        }
        let inner = module(entry("weight", x), entry("cache", x) + entry("mean", x), [])
        let cyclic = code("]q\u{5}h\u{5}a")
        let pickle =
            [0x80, 2] + code("}") + entry("a", code("}") + entry("b", code("](") + x + code("e")))
            + entry("net", module(entry("token", x) + entry("none", code("N")), [], entry("block", inner)))
            + entry("settings", object(code("N}") + entry("table", x) + [0x86])) + entry("loop", cyclic)
        let file = try PickleTests.file(pickle + code("."))
        #expect(
            file.tensors.map(\.fullName) == [
                "a.b.0", "net.token", "net.block.weight", "net.block.mean", "settings.table",
            ])
        #expect(file.tensors[2].location == ["net"] && file.tensors[2].name == "block.weight")
        #expect(try file.tensors.allSatisfy { try $0.values() == [0, 0, 0, 0] })
    }

    @Test func numbersThatCannotBeReadAreKeptByName() throws {
        let complex = PickleTests.tensor(offset: 0, count: 4, shape: [2], strides: [1], type: "ComplexFloatStorage")
        let plain = PickleTests.tensor(offset: 0, count: 4, shape: [4], strides: [1])
        let file = try PickleTests.file(
            [0x80, 2] + code("}") + text("z") + complex + code("s") + text("x") + plain
                + code("s."))
        #expect(file.tensors.map(\.name) == ["x"])
        #expect(file.unreadable.map(\.name) == ["z"] && file.unreadable[0].type == "torch.ComplexFloatStorage")
    }

    /// A short pickle that copies a long one, or names that grow with every level, end in an error.
    @Test func whatGrowsBeyondThePickleIsRefused() throws {
        let pairs = [[UInt8]](repeating: code("NN") + [0x86], count: 1000).flatMap(\.self)
        let copy = code("ccollections\nOrderedDict\nh\u{1}") + [0x85] + code("R")
        let copies = [[UInt8]](repeating: copy, count: 9000).flatMap(\.self)
        let copying = code("](") + pairs + code("eq\u{1}") + copies + code(".")
        #expect(try error(copying).description.contains("too many values"))
        let key = text(String(repeating: "k", count: 999))
        let tensor = PickleTests.tensor(offset: 0, count: 4, shape: [4], strides: [1]) + code("q\u{1}0")
        var growing = tensor
        for _ in 0..<62 { growing += code("}") + key }
        growing += code("}(")
        for index in 0..<1100 { growing += text("\(index)") + code("h\u{1}") }
        growing += code("u") + [UInt8](repeating: UInt8(ascii: "s"), count: 62) + code(".")
        #expect(try error(growing).description.contains("names are too long"))
    }

    /// Containers that share others are far longer together than the pickle.
    @Test func sharedContainersEndInAnError() throws {
        let long = code("](") + [UInt8](repeating: UInt8(ascii: "N"), count: 20_000) + code("eq\u{1}0")
        let refers = (0..<450).flatMap { text("\($0)") + code("h\u{1}") }
        #expect(try error(long + code("}(") + refers + code("u.")).description.contains("containers are too long"))
        let ignored = [[UInt8]](repeating: code("ccollections\nOrderedDict\nh\u{1}") + [0x85] + code("R0"), count: 900)
        #expect(try error(long + ignored.flatMap(\.self) + code("N.")).description.contains("too many values"))
    }

    /// Shapes and places whose products are beyond any number end in an error, and do not trap.
    @Test func numbersBeyondAllBoundsAreRefused() throws {
        let vast = Int.max / 2
        for tensor in [
            PickleTests.tensor(offset: 0, count: 4, shape: [0, vast, vast], strides: [1, 1, 1]),
            PickleTests.tensor(offset: vast, count: vast + 1, shape: [1], strides: [1]),
            PickleTests.tensor(
                offset: 0, count: 4, shape: [Int](repeating: 1, count: 65), strides: [Int](repeating: 1, count: 65)),
        ] {
            let pickle = [0x80, 2] + code("}") + text("x") + tensor + code("s.")
            do { _ = try PickleTests.file(pickle) } catch let error as FileError { #expect(error.kind == .malformed) }
        }
    }

    /// Where there are no elements, no stride leads anywhere.
    @Test func emptyTensorsOfAnyStridesAreRead() throws {
        let tensor = PickleTests.tensor(offset: 0, count: 4, shape: [5, 0, 5], strides: [Int.max, 1, Int.max])
        let file = try PickleTests.file([0x80, 2] + code("}") + text("x") + tensor + code("s."))
        #expect(try file.tensors.map { try $0.values() } == [[]])
    }

    /// Torch's format from before 1.6, with a part of a storage, as torch itself wrote it.
    @Test func torchsOldFormatIsRead() throws {
        let magic: [UInt8] = [
            0x80, 2, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, UInt8(ascii: "."),
        ]
        let version: [UInt8] = [0x80, 2, UInt8(ascii: "M"), 0xE9, 3, UInt8(ascii: ".")]
        func machine(_ isLittle: UInt8) -> [UInt8] {
            [0x80, 2] + code("}") + text("little_endian") + [isLittle] + code("s.")
        }
        func tensor(_ view: [UInt8]) -> [UInt8] {
            code("ctorch._utils\n_rebuild_tensor\n((") + text("storage") + code("ctorch\nFloatStorage\n")
                + text("77") + text("cpu") + code("K\u{4}") + view + code("tQK\u{0}K\u{2}")
                + [0x85] + code("K\u{1}") + [0x85] + code("tR")
        }
        let part = text("78") + code("K\u{2}K\u{2}") + [0x87]
        let saved =
            [0x80, 2] + code("}") + text("x") + tensor(code("N")) + code("s") + text("y")
            + tensor(part) + code("s.")
        let keys = [0x80, 2] + code("](") + text("77") + code("e.")
        let numbers = (0..<4).flatMap { PickleTests.little(Int(Float($0).bitPattern), 4) }
        let storages = PickleTests.little(4, 8) + numbers
        let scratch = try ScratchDirectory()
        func whole(_ isLittle: UInt8 = 0x88) -> [UInt8] {
            magic + version + machine(isLittle) + saved + keys + storages
        }
        let file = try TensorFile.open(try scratch.write(whole(), to: "old.pth"))
        #expect(file.format == .torch && file.tensors.map(\.name) == ["x", "y"])
        #expect(try file.tensors.map { try $0.values() } == [[0, 1], [2, 3]])
        func refusal(_ bytes: [UInt8]) throws -> String {
            let path = try scratch.write(bytes, to: "old.pth")
            return try #require(openingError(path)).description
        }
        #expect(try refusal(whole(0x89)).contains("big-endian"))
        for length in magic.count..<whole().count {
            #expect(try refusal(Array(whole().prefix(length))).contains("before version 1.6"), "\(length)")
        }
        #expect(try refusal(Array(magic.prefix(5))).contains("before version 1.6"))
    }
}
