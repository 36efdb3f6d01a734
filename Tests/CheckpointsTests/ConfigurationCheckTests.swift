import Models
import Support
import TestTools
import Testing

/// What the configuration file says alone, before there are weights.
struct ConfigurationCheckTests {
    /// A family that forgets to say what it reads would be refused on the hub.
    @Test func noCheckpointThatIsReadIsRefused() throws {
        let names = try Files.names(in: Fixture.root)
        #expect(names.count > 20)
        for name in names {
            let path = Files.join(Fixture.root, name)
            guard (try? Checkpoint.open(path)) != nil else { continue }
            #expect(throws: Never.self, "\(name)") { try ModelFamilies.checkConfiguration(in: path) }
        }
    }

    @Test(arguments: [
        (#"{"model_type": "bert"}"#, "describes a model of type bert; clip, clip_vision_model, deit, "),
        (#"{"architecture": "resnet50"}"#, "describes resnet50, which has a part"),
        (
            #"{"architecture": "vit_base_patch16_rope_224"}"#,
            "describes vit_base_patch16_rope_224, which has rotary positions"
        ),
        ("{", "is not valid JSON"),
    ])
    func whatNoFamilyReadsIsSaid(json: String, words: String) throws {
        let scratch = try ScratchDirectory()
        try scratch.write(json, to: "config.json")
        let error = #expect(throws: CheckpointError.self) { try ModelFamilies.checkConfiguration(in: scratch.path) }
        #expect(error?.kind == .malformed && error?.reason.contains(words) == true, "\(String(describing: error))")
        #expect(error?.path == scratch.path + "/config.json")
    }

    @Test(arguments: [
        #"{"model_type": "vit"}"#, #"{"model_type": "vit_mae"}"#, #"{"architecture": "cait_s24_224.fb_dist_in1k"}"#,
        #"{"architecture": "vit_small_patch16_224.augreg_in21k_ft_in1k", "model_type": "timm_wrapper"}"#, "{}",
    ])
    func whatMayBeReadIsNotRefused(json: String) throws {
        let scratch = try ScratchDirectory()
        try scratch.write(json, to: "config.json")
        try ModelFamilies.checkConfiguration(in: scratch.path)
    }
}
