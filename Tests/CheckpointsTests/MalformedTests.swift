import Models
import Support
import TestTools
import Testing

/// Files that break their format end in one sentence that names the file and the fault, never in a trap.
struct MalformedTests {
    private func error(_ bytes: [UInt8], _ name: String = "model.safetensors") throws -> CheckpointError {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(bytes, to: name)
        let error = try #require(openingError(path))
        #expect(error.path.hasPrefix(scratch.path))
        return error
    }

    private func safetensors(_ header: String, data: Int) -> [UInt8] {
        let length = header.utf8.count
        return (0..<8).map { UInt8(length >> (8 * $0) & 0xFF) } + Array(header.utf8)
            + [UInt8](repeating: 0, count: data)
    }

    @Test func missingAndEmptyFiles() throws {
        let scratch = try ScratchDirectory()
        #expect(try #require(openingError(scratch.path + "/none")).kind == .missing)
        #expect(try #require(openingError(scratch.path)).kind == .missing)
        #expect(try error([]).description.contains("is empty"))
    }

    @Test(arguments: [
        (#"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}"#, 8, "layout of no Vision Transformer"),
        (#"{}"#, 0, "holds no tensors"),
    ])
    func tensorsOfNoModelAreRefused(_ header: String, _ data: Int, _ words: String) throws {
        let error = try error(safetensors(header, data: data))
        #expect(error.kind == .malformed)
        #expect(error.description.contains(words), "\(error)")
    }

    /// The header of a fixture after a change of its text of the same length.
    private func changed(_ fixture: Fixture, _ old: String, _ new: String) throws -> CheckpointError {
        #expect(old.utf8.count == new.utf8.count)
        var bytes = try fixture.bytes
        let pattern = Array(old.utf8)
        let place = try #require(
            (0...bytes.count - pattern.count).first { bytes[$0..<$0 + pattern.count].elementsEqual(pattern) })
        bytes.replaceSubrange(place..<place + pattern.count, with: Array(new.utf8))
        let scratch = try ScratchDirectory()
        let path = try scratch.copy(fixture)
        try scratch.write(bytes, to: Files.name(of: path))
        return try #require(openingError(path))
    }

    @Test func missingAndSurplusTensorsAreNamed() throws {
        let error = try changed(.timmHub, "blocks.0.mlp.fc1.bias", "blocks.0.mlp.fc1.bibs")
        #expect(error.kind == .malformed)
        #expect(error.description.contains("lacks blocks.0.mlp.fc1.bias"))
        #expect(error.description.contains("no part of the model: blocks.0.mlp.fc1.bibs"))
        let query = try changed(
            .hfViT, "layer.1.attention.attention.query.weight", "layer.1.attention.attention.quarx.weight")
        #expect(query.description.contains("lacks vit.encoder.layer.1.attention.attention.query.weight"), "\(query)")
        let inTorch = try changed(.hfViTModel, "layernorm.weight", "layernorm.weihgt")
        #expect(inTorch.description.contains("lacks layernorm.weight"), "\(inTorch)")
    }

    @Test func misshapenTensorsAreNamed() throws {
        let error = try changed(
            .timmHub, #""blocks.0.mlp.fc2.weight":{"dtype":"F32","shape":[16,32]"#,
            #""blocks.0.mlp.fc2.weight":{"dtype":"F32","shape":[32,16]"#)
        #expect(
            error.description.contains("blocks.0.mlp.fc2.weight [32, 16] where blocks.0.mlp.fc2.weight needs [16, 32]"))
        let whole = try changed(
            .timmHub, #""norm.bias":{"dtype":"F32","#, #""norm.bias":{"dtype":"I32","#)
        #expect(whole.description.contains("whole numbers: norm.bias"), "\(whole)")
    }

    @Test func shardsHaveToHoldWhatTheIndexSays() throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.copy(.hfViTModern)
        let shard = scratch.path + "/model-00002-of-00002.safetensors"
        try scratch.write(
            #"{"weight_map": {"x": "model-00002-of-00002.safetensors"}}"#, to: "model.safetensors.index.json")
        #expect(try #require(openingError(path)).path == shard)
        try scratch.write(#"{"weight_map": {"x": "../secret"}}"#, to: "model.safetensors.index.json")
        #expect(try #require(openingError(path)).description.contains("plain name"))
        try scratch.write(#"{"weight_map": {"x": "none.safetensors"}}"#, to: "model.safetensors.index.json")
        #expect(try #require(openingError(path)).kind == .missing)
    }

    /// Changes of single bytes in what describes the numbers end in an error or in the same model, never in a trap.
    @Test(arguments: [Fixture.timmHub, .hfDeiT, .hfViTModel, .maeFinetuned, .jax])
    func changedBytesNeverCrash(_ fixture: Fixture) throws {
        let whole = try fixture.bytes
        let scratch = try ScratchDirectory()
        let path = try scratch.copy(fixture)
        var generator = SplitMix(state: 7)
        let isZip = whole[0] == 0x50
        let header = isZip ? whole.count : 8 + whole[0..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        for _ in 0..<400 {
            var bytes = whole
            for _ in 0...generator.next() % 3 {
                // In a zip the descriptions are at both ends.
                var place = Int(generator.next() % UInt64(header))
                if isZip { place = place % 2 == 0 ? place % 4000 : whole.count - 1 - place % 4000 }
                bytes[place] = UInt8(truncatingIfNeeded: generator.next())
            }
            try scratch.write(bytes, to: Files.name(of: path))
            do throws(CheckpointError) {
                let checkpoint = try Checkpoint.open(path)
                _ = try checkpoint.parameters(includingDecoder: true)
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
    }
}

/// A small generator of repeatable numbers.
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
