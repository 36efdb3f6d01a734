import Support
import SwiftViT
import Training

extension Target {
    /// What a run of training keeps for its own return, and what an array of embeddings has beside it.
    static let run = Target(name: "run") { bytes in
        Scratch.write(bytes, to: "state.json")
        if let state = attempt({ try RunState(in: "") }) {
            let text = state.json.text()
            Scratch.write(Array(text.utf8), to: "state.json")
            check((try? RunState(in: ""))?.json.text() == text, "a state is the same after writing it")
        }
        let path = Scratch.write(bytes, to: "config.json")
        readSettings(MAE.self, path)
        readSettings(Classification.self, path)
        readSettings(Rotation.self, path)
        _ = attempt { try RecordedSplit(ofModelAt: path) }
        _ = attempt { try MetricsLog.read(path) }
        _ = attempt { try EmbeddingSettings(contentsOfFile: path) }
    }

    private static func readSettings<Method: TrainingMethod>(_ method: Method.Type, _ path: String) {
        guard let json = try? JSON.file(path), let settings = try? method.settings(json, path: path) else { return }
        let text = method.json(settings).text()
        let again = (try? JSON.parse(Array(text.utf8))).flatMap { try? method.settings($0, path: path) }
        check(again.map { method.json($0).text() } == text, "settings are the same after writing them")
        _ = method.memoryNeed(settings)
    }
}
