import Hub
import Support
import Testing
import TestTools

/// Where the hub and the cache are, and which files are needed.
struct SettingsTests {
    private func settings(_ variables: [String: String]) -> HubSettings {
        HubSettings(isOffline: false) { variables[$0] }
    }

    @Test(arguments: [
        (["HOME": "/h"], "/h/.cache/huggingface/hub"),
        (["HOME": "/h", "XDG_CACHE_HOME": "/x"], "/x/huggingface/hub"),
        (["HOME": "/h", "XDG_CACHE_HOME": "/x", "HF_HOME": "~/hf"], "/h/hf/hub"),
        (["HOME": "/h", "HF_HOME": "/hf", "HUGGINGFACE_HUB_CACHE": "/old"], "/old"),
        (["HOME": "/h", "HUGGINGFACE_HUB_CACHE": "/old", "HF_HUB_CACHE": "$HOME/new${X}", "X": "er"], "/h/newer"),
        (["HOME": "/h", "HF_HUB_CACHE": "/a$NONE/${X", "X": "x"], "/a$NONE/${X"),
        (["HOME": "/h", "HF_HOME": ""], "/h/.cache/huggingface/hub"),
    ])
    func cacheIsWherePythonHasIt(variables: [String: String], path: String) {
        #expect(settings(variables).cache == path)
    }

    @Test func tokensComeFromVariablesAndFiles() throws {
        let scratch = try ScratchDirectory()
        try scratch.write(" hf_file\n", to: "token")
        try scratch.write("hf_other", to: "elsewhere")
        let home = ["HF_HOME": scratch.path]
        #expect(try settings(home).token() == "hf_file")
        #expect(try settings(home.merging(["HF_TOKEN_PATH": scratch.path + "/elsewhere"]) { $1 }).token() == "hf_other")
        #expect(try settings(home.merging(["HF_TOKEN": "hf_x"]) { $1 }).token() == "hf_x")
        #expect(try settings(home.merging(["HF_HUB_DISABLE_IMPLICIT_TOKEN": "yes"]) { $1 }).token() == nil)
        #expect(try settings(["HF_HOME": scratch.path + "/nowhere"]).token() == nil)
        for token in ["a b", "a\nb", "a\"b", "a\\b", "é"] {
            #expect(throws: HubError.self) { try settings(["HF_TOKEN": token]).token() }
        }
    }

    @Test func endpointsAreAddresses() throws {
        #expect(try settings([:]).endpoint() == .hub)
        #expect(
            try settings(["HF_ENDPOINT": "http://localhost:81/x/"]).endpoint().description == "http://localhost:81/x")
        for text in ["localhost", "ftp://a", "https://a/?b=c"] {
            #expect(throws: HubError.self) { try settings(["HF_ENDPOINT": text]).endpoint() }
        }
    }

    @Test(arguments: [
        ("HF_HUB_OFFLINE", "1", true), ("TRANSFORMERS_OFFLINE", "True", true), ("HF_HUB_OFFLINE", "0", false),
    ])
    func fetchingIsSwitchedOff(name: String, value: String, isOffline: Bool) {
        #expect(settings([name: value]).isOffline == isOffline)
    }

    @Test(
        arguments: [
            (["model.safetensors", "pytorch_model.bin", "a.safetensors"], "model.safetensors", nil),
            (
                ["pytorch_model.bin", "model.safetensors.index.json", "model-1.safetensors"], nil,
                "model.safetensors.index.json"
            ),
            (["pytorch_model.bin", "tf_model.h5"], "pytorch_model.bin", nil),
            (["open_clip_pytorch_model.bin", "open_clip_model.safetensors"], "open_clip_model.safetensors", nil),
            (["mae.pth", "onnx/model.safetensors"], "mae.pth", nil),
            (["x.safetensors", "a.bin", "b.bin"], "x.safetensors", nil),
        ] as [([String], String?, String?)])
    func theBetterWeightsAreTaken(files: [String], weights: String?, index: String?) throws {
        let reference = try #require(try HubReference("a/b"))
        let selection = try FileSelection(files + ["config.json", "README.md", "merges.txt"], of: reference)
        #expect(selection.weights == weights && selection.index == index)
        #expect(selection.settings == ["config.json", "merges.txt"])
    }

    @Test(arguments: [[], ["a.bin", "b.bin"], ["tf_model.h5"], ["../model.safetensors"]])
    func withoutOneFileOfWeightsItIsSaid(files: [String]) throws {
        let reference = try #require(try HubReference("a/b"))
        #expect(throws: HubError.self) { try FileSelection(files, of: reference) }
    }

    @Test func shardsHaveToBeThere() throws {
        let scratch = try ScratchDirectory()
        try scratch.write(
            #"{"weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors"}}"#, to: "model.safetensors.index.json")
        try scratch.write("x", to: "m-1.safetensors")
        #expect(try FileSelection.lacking(in: scratch.path) == "m-2.safetensors")
        try scratch.write("x", to: "m-2.safetensors")
        #expect(try FileSelection.lacking(in: scratch.path) == nil)
        try scratch.write(#"{"weight_map": {"a": "../m.safetensors"}}"#, to: "model.safetensors.index.json")
        #expect(throws: HubError.self) { try FileSelection.lacking(in: scratch.path) }
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"sha": "main", "siblings": []}"#, #"{"sha": "0123456789012345678901234567890123456789"}"#,
    ])
    func otherAnswersAreNoLists(text: String) throws {
        let reference = try #require(try HubReference("a/b"))
        #expect(throws: HubError.self) { try RepositoryListing(Array(text.utf8), of: reference) }
    }
}
