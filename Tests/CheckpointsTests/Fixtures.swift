import TestTools
import Testing

import Models
import Support

/// The checkpoints under Tests/Fixtures/checkpoints.
enum Fixture: String, CaseIterable {
    case timmHub = "timm-hub/model.safetensors"
    case timmMeanPooled = "timm-mean-pooled/model.safetensors"
    case timmDeiT3 = "timm-deit3/model.safetensors"
    case timmRegisters = "timm-registers/model.safetensors"
    case timmRegisterPositions = "timm-register-positions/model.safetensors"
    case deitDistilled = "deit-distilled/deit_distilled.pth"
    case hfViT = "hf-vit/model.safetensors"
    case hfViTModern = "hf-vit-modern/model.safetensors.index.json"
    case hfViTModel = "hf-vit-model/pytorch_model.bin"
    case hfDeiT = "hf-deit/model.safetensors"
    case hfDeiTOneHead = "hf-deit-one-head/model.safetensors"
    case hfMAE = "hf-mae/model.safetensors"
    /// Its golden has no head.
    case hfDINOv2 = "hf-dinov2/model.safetensors"
    case hfDINOv2Classifier = "hf-dinov2-classifier/model.safetensors"
    case hfDINOv2Registers = "hf-dinov2-registers/model.safetensors"
    case maeFinetuned = "mae-finetuned/checkpoint-99.pth"
    case maeFull = "mae-full/mae_visualize_vit_tiny.pth"
    case dinov2Original = "dinov2-original/dinov2_reg4_pretrain.pth"
    case jax = "jax/vit.npz"
    case maeLinearProbe = "mae-linear-probe/checkpoint-89.pth"
    case hfViTMSN = "hf-vit-msn/model.safetensors"
    case torchLegacy = "torch-legacy/checkpoint.pth"
    case torchModule = "torch-module/checkpoint.pth"
    case torchTraining = "torch-training/checkpoint.pth"

    static let root = #filePath.split(separator: "/").dropLast(2).reduce("") { $0 + "/" + $1 } + "/Fixtures/checkpoints"

    var path: String { Self.root + "/" + rawValue }

    var directory: String { Files.directory(of: path) }

    var bytes: [UInt8] {
        get throws { try readFile(path) }
    }
}

extension ScratchDirectory {
    /// Copies the files of a fixture.
    func copy(_ fixture: Fixture) throws -> String {
        for name in try Files.names(in: fixture.directory) where name != "golden.safetensors" {
            try write(try readFile(fixture.directory + "/" + name), to: name)
        }
        return path + "/" + Files.name(of: fixture.path)
    }
}

/// The CRC-32 of zip and PNG, bit by bit.
func crc32(of bytes: [UInt8]) -> UInt32 {
    var crc: UInt32 = ~0
    for byte in bytes {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return ~crc
}

/// The error that opening a checkpoint ends in.
func openingError(_ path: String) -> CheckpointError? {
    do throws(CheckpointError) {
        _ = try Checkpoint.open(path)
        return nil
    } catch {
        return error
    }
}
