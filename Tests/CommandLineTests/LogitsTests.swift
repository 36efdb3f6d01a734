import Foundation
import Testing

/// `--logits`: a NumPy file with a row for each image that was classified.
struct LogitsTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        for number in 0..<5 { try scratch.writeImage("\(number).png", seed: number) }
    }

    /// The header of an `.npy` file and its rows.
    private func matrix(_ name: String) throws -> (header: String, rows: [[Float]]) {
        let bytes = try scratch.read(name)
        #expect(Array(bytes.prefix(8)) == [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0])
        let start = 10 + Int(bytes[8]) + Int(bytes[9]) << 8
        #expect(start % 64 == 0)
        let header = String(decoding: bytes[10..<start], as: UTF8.self)
        let values = stride(from: start, to: bytes.count, by: 4).map { offset in
            Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << (8 * $1) })
        }
        return (header, stride(from: 0, to: values.count, by: 5).map { Array(values[$0..<$0 + 5]) })
    }

    private func logits(_ paths: [String], _ arguments: String...) throws -> [[Float]] {
        let outcome = try Vit.run(
            ["classify", "--model", "hf-vit", "--format", "csv", "--logits", "out.npy"] + paths + arguments, in: scratch
        )
        #expect(outcome.status == 0, "\(outcome.errors)")
        let (header, rows) = try matrix("out.npy")
        #expect(header.contains("'descr': '<f4', 'fortran_order': False, 'shape': (\(rows.count), 5), }"))
        return rows
    }

    @Test func rowsFollowTheInputs() throws {
        let names = (0..<5).map { "\($0).png" }
        let single = try names.map { try #require(logits([$0]).first) }
        #expect(try logits(names) == single)
        #expect(try logits(names.reversed()) == single.reversed())
        #expect(Set(single).count == 5)
    }

    /// Rounded products differ a little from exact ones, and neither batch nor threads change them.
    @Test(arguments: ["bfloat16", "int8"]) func precisionsDifferALittle(precision: String) throws {
        let names = (0..<5).map { "\($0).png" }
        let exact = try logits(names)
        let rounded = try logits(names, "--precision", precision)
        #expect(rounded != exact && rounded.count == exact.count)
        for (row, reference) in zip(rounded, exact) {
            let largest = reference.reduce(0) { max($0, abs($1)) }
            #expect(zip(row, reference).allSatisfy { abs($0 - $1) < 0.1 * largest })
        }
        #expect(try logits(names, "--precision", precision, "--threads", "3", "--batch-size", "2") == rounded)
    }

    @Test func unknownPrecisionsAreRefused() throws {
        let outcome = try Vit.run(["classify", "0.png", "--precision", "float64"], in: scratch)
        #expect(outcome.status == 64 && outcome.errors.contains("float32") && outcome.errors.contains("int8"))
    }

    @Test func batchAndThreadsDoNotMatter() throws {
        let names = (0..<5).map { "\($0).png" }
        let reference = try logits(names)
        for (threads, batch) in [("1", "1"), ("3", "2"), ("2", "64")] {
            #expect(try logits(names, "--threads", threads, "--batch-size", batch) == reference)
        }
    }

    @Test func probabilitiesAreTheirSoftmax() throws {
        let row = try #require(logits(["1.png"]).first).map(Double.init)
        let outcome = try Vit.run(["classify", "1.png", "--model", "hf-vit", "--format", "csv"], in: scratch)
        let sum = row.reduce(0) { $0 + exp($1) }
        for line in outcome.lines.dropFirst() {
            let fields = line.split(separator: ",")
            let index = try #require(Int(fields[2]))
            let probability = try #require(Double(fields[4]))
            #expect(abs(probability - exp(row[index]) / sum) < 1e-6)
        }
    }

    /// As the option says, and as the checkpoint's `problem_type` does.
    @Test func activationsAreChosen() throws {
        let row = try #require(logits(["1.png"]).first).map(Double.init)
        try scratch.copyCheckpoint("hf-vit")
        let stated = String(decoding: try scratch.read("hf-vit/config.json"), as: UTF8.self)
            .replacingOccurrences(
                of: "\"model_type\"", with: "\"problem_type\": \"multi_label_classification\", \"model_type\"")
        try scratch.write(stated, to: "hf-vit/config.json")
        func scores(_ arguments: String...) throws -> (head: String, values: [Int: Double], text: String) {
            let outcome = try Vit.run(
                ["classify", "1.png", "--format", "csv", "--model", scratch.path("hf-vit")] + arguments, in: scratch)
            #expect(outcome.status == 0, "\(outcome.errors)")
            let fields = outcome.lines.dropFirst().map { $0.split(separator: ",") }
            let values = fields.map { (Int($0[2]) ?? -1, Double($0[4]) ?? .nan) }
            return (outcome.lines[0], Dictionary(uniqueKeysWithValues: values), outcome.output)
        }
        let (sigmoid, none) = (try scores(), try scores("--activation", "none"))
        let softmax = try scores("--activation", "softmax")
        let sum = row.reduce(0) { $0 + exp($1) }
        for (index, logit) in row.enumerated() {
            #expect(abs((sigmoid.values[index] ?? 0) - 1 / (1 + exp(-logit))) < 1e-6)
            #expect(abs((softmax.values[index] ?? 0) - exp(logit) / sum) < 1e-6)
            #expect(none.values[index].map(Float.init) == Float(logit))
        }
        #expect(sigmoid.head.hasSuffix(",probability") && none.head.hasSuffix(",logit"))
        #expect(try scores("--activation", "sigmoid").text == sigmoid.text)
        let table = try Vit.run(["classify", "1.png", "--model", "hf-vit", "--activation", "none"], in: scratch)
        #expect(table.status == 0 && !table.output.contains("%"), "\(table.output)")
    }

    @Test func failedImagesHaveNoRow() throws {
        try scratch.write("nonsense", to: "bad.png")
        let outcome = try Vit.run(
            ["classify", "0.png", "bad.png", "1.png", "--model", "hf-vit", "--logits", "out.npy"], in: scratch)
        #expect(outcome.status == 1)
        let rows = try matrix("out.npy").rows
        #expect(try rows == logits(["0.png", "1.png"]))
    }

    @Test func aFileIsReplacedWhenTheNewOneIsWhole() throws {
        try scratch.write("old", to: "out.npy")
        let failed = try Vit.run(
            ["classify", "0.png", "missing.png", "--strict", "--model", "hf-vit", "--logits", "out.npy"], in: scratch)
        #expect(failed.status == 66)
        #expect(try scratch.read("out.npy") == Array("old".utf8))
        _ = try logits(["0.png"])
        #expect(try scratch.names == ["0.png", "1.png", "2.png", "3.png", "4.png", "out.npy"])
    }

    @Test func outputThatCannotBeCreated() throws {
        try scratch.write("", to: "folder/file")
        for path in ["nowhere/out.npy", "folder", "/dev/null"] {
            let outcome = try Vit.run(["classify", "0.png", "--model", "hf-vit", "--logits", path], in: scratch)
            #expect(outcome.status == 73)
            #expect(outcome.errorLines.count == 1 && outcome.errors.hasPrefix("Error: \(path): "), "\(outcome.errors)")
        }
    }
}
