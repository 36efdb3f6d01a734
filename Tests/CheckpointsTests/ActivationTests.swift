import Compute
import Models
import Support
import TestTools
import Testing

/// What makes scores of a head's logits: as the files state, or as is assumed.
struct ActivationTests {
    private func activation(_ settings: String) throws -> HeadActivation {
        let scratch = try ScratchDirectory()
        let path = try scratch.copy(.hfViT)
        try scratch.write(
            #"{"model_type": "vit", "image_size": 16, "num_attention_heads": 2\#(settings)}"#, to: "config.json")
        return try Checkpoint.open(path).headActivation
    }

    /// As transformers' pipeline has it.
    @Test func problemTypesOfTransformers() throws {
        #expect(try activation("") == .softmax)
        #expect(try activation(#", "problem_type": null"#) == .softmax)
        #expect(try activation(#", "problem_type": "single_label_classification""#) == .softmax)
        #expect(try activation(#", "problem_type": "multi_label_classification""#) == .sigmoid)
        #expect(try activation(#", "problem_type": "regression""#) == .identity)
        let error = #expect(throws: CheckpointError.self) { try activation(#", "problem_type": "ranking""#) }
        #expect(error?.description.contains("ranking") == true)
    }

    /// A head of one class, and one for many labels, keep their activation in every layout.
    @Test(arguments: [ExportLayout.huggingFace, .timm], [(1, HeadActivation.sigmoid), (5, .sigmoid), (5, .identity)])
    func activationsAreWritten(_ layout: ExportLayout, _ head: (count: Int, activation: HeadActivation)) throws {
        let source = try Checkpoint.open(Fixture.hfViT.path)
        var configuration = try source.encoder
        configuration.classCount = head.count
        var writer = CheckpointWriter(configuration: configuration, preprocessing: source.preprocessing)
        writer.activation = head.activation
        let scratch = try ScratchDirectory()
        try writer.write(to: scratch.path + "/out", as: layout) { (name) throws(CheckpointError) in
            let tensor = try source.tensor(name)
            switch name {
            case "head.weight": return tensor.rows(0..<head.count)
            case "head.bias": return Tensor(Array(tensor.values.prefix(head.count)), shape: [head.count])
            default: return tensor
            }
        }
        #expect(try Checkpoint.open(scratch.path + "/out").headActivation == head.activation)
    }

    @Test func whatNoFileStatesIsSaid() throws {
        let unstated = try Checkpoint.open(Fixture.maeFinetuned.path)
        #expect(unstated.activation == nil && unstated.headActivation == .softmax)
        #expect(unstated.activationAssumption?.contains("--activation sigmoid") == true)
        #expect(try Checkpoint.open(Fixture.hfViT.path).activationAssumption == nil)
        #expect(try Checkpoint.open(Fixture.hfMAE.path).activationAssumption == nil)
    }
}
