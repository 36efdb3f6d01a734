import Models
import Support

extension Target {
    /// `config.json` and `preprocessor_config.json` beside small models of several families.
    static let configuration = Target(name: "configuration") {
        for model in models {
            Scratch.copy("checkpoints/\(model.folder)/\(model.file)", to: "\(model.folder)/\(model.file)")
            Scratch.copy("checkpoints/\(model.folder)/\(model.file)", to: "\(model.folder)/processed/\(model.file)")
            let configuration = "checkpoints/\(model.folder)/config.json"
            Scratch.copy(configuration, to: "\(model.folder)/processed/config.json")
        }
    } read: { bytes in
        for model in models {
            Scratch.write(bytes, to: "\(model.folder)/config.json")
            open("\(model.folder)/\(model.file)")
            Scratch.write(bytes, to: "\(model.folder)/processed/preprocessor_config.json")
            open("\(model.folder)/processed/\(model.file)")
        }
        if let json = try? JSON.parse(bytes) {
            let compact = try? JSON.parse(Array(json.text(compact: true).utf8))
            check(compact?.text() == json.text(), "JSON is the same after writing it")
            _ = ModelFamilies.configuration(json)
        }
    }

    private static let models = [
        (folder: "hf-vit", file: "model.safetensors"), (folder: "timm-hub", file: "model.safetensors"),
        (folder: "hf-dinov2-registers", file: "model.safetensors"), (folder: "timm-cait", file: "model.safetensors"),
        (folder: "hf-mae", file: "model.safetensors"),
    ]

    private static func open(_ path: String) {
        guard let checkpoint = attempt({ try Checkpoint.open(path) }) else { return }
        let size = checkpoint.configuration.imageSize
        check(checkpoint.labels.map { $0.count == checkpoint.configuration.classCount } ?? true, "classes have names")
        check(size.width > 0 && size.height > 0, "images have a size")
        _ = checkpoint.preprocessing.outputSize(width: 640, height: 480)
        _ = checkpoint.family.rows(of: checkpoint, classes: "")
        let json = checkpoint.family.json(of: checkpoint.configuration)
        if let read = ModelFamilies.configuration(json) {
            check(ModelFamilies.family(of: read).json(of: read) == json, "a configuration is the same after writing it")
        }
    }
}
