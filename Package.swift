// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]
let strictWithPointers: [SwiftSetting] = strict + [.strictMemorySafety()]

let package = Package(
    name: "swift-vit",
    products: [
        .executable(name: "vit", targets: ["vit"]),
        .library(
            name: "SwiftViT",
            targets: ["SwiftViT"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
    ],
    targets: [
        // C: image codecs, and loops that want vector instructions.
        .target(
            name: "CImageCodecs", linkerSettings: [.linkedLibrary("png"), .linkedLibrary("jpeg"), .linkedLibrary("z")]),
        .target(name: "CKernels", linkerSettings: [.linkedLibrary("m")]),
        // The library, from the bottom up.
        .target(name: "LibC", swiftSettings: strict),
        .target(name: "Support", dependencies: ["CKernels", "LibC"], swiftSettings: strictWithPointers),
        // Models by name: the Hugging Face hub and its cache.
        .target(name: "Hub", dependencies: ["LibC", "Support"], swiftSettings: strictWithPointers),
        .target(name: "Randomness", dependencies: ["LibC"], swiftSettings: strictWithPointers),
        .target(
            name: "Imaging", dependencies: ["CImageCodecs", "CKernels", "LibC", "Randomness", "Support"],
            swiftSettings: strictWithPointers
        ),
        .target(
            name: "TensorFiles", dependencies: ["CImageCodecs", "CKernels", "Support"],
            swiftSettings: strictWithPointers),
        .target(
            name: "Tokenizers", dependencies: ["CImageCodecs", "LibC", "Support"], swiftSettings: strictWithPointers),
        .target(name: "Compute", dependencies: ["CKernels", "LibC", "Support"], swiftSettings: strictWithPointers),
        .target(name: "Layers", dependencies: ["Compute", "LibC", "Randomness", "Support"], swiftSettings: strict),
        .target(
            name: "Models",
            dependencies: ["Compute", "Imaging", "Layers", "LibC", "Randomness", "Support", "TensorFiles"],
            swiftSettings: strict),
        .target(
            name: "Datasets", dependencies: ["Imaging", "Randomness", "Support"], swiftSettings: strictWithPointers),
        .target(name: "Communication", dependencies: ["LibC", "Support"], swiftSettings: strictWithPointers),
        .target(
            name: "Training",
            dependencies: ["Communication", "LibC", "Models", "Datasets", "Randomness", "Imaging", "Support"],
            swiftSettings: strictWithPointers),
        .target(
            name: "SwiftViT",
            dependencies: [
                "Communication", "Hub", "LibC", "Training", "Datasets", "TensorFiles", "Tokenizers", "Models",
                "CKernels",
                "Randomness", "Support",
            ],
            swiftSettings: strictWithPointers),
        .executableTarget(
            name: "vit",
            dependencies: [
                "Communication", "Hub", "LibC", "SwiftViT",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strictWithPointers),
        // A second engine that the tests hold every other to.
        .target(
            name: "ReferenceEngine", dependencies: ["Compute", "Support"], path: "Tests/ReferenceEngine",
            swiftSettings: strictWithPointers),
        // What tests of several targets share.
        .target(
            name: "TestTools", dependencies: ["Communication", "Support"], path: "Tests/TestTools",
            swiftSettings: strictWithPointers),
        .testTarget(name: "SupportTests", dependencies: ["Support", "TestTools"], swiftSettings: strict),
        .testTarget(
            name: "TensorFilesTests", dependencies: ["TensorFiles", "Support", "TestTools"], swiftSettings: strict),
        .testTarget(name: "HubTests", dependencies: ["Hub", "Support", "TestTools"], swiftSettings: strict),
        .testTarget(
            name: "TokenizersTests", dependencies: ["Tokenizers", "Support", "TestTools"], swiftSettings: strict),
        .testTarget(name: "RandomnessTests", dependencies: ["Randomness"], swiftSettings: strict),
        .testTarget(
            name: "ImagingTests", dependencies: ["Imaging", "CImageCodecs", "Randomness"], swiftSettings: strict),
        .testTarget(
            name: "ComputeTests", dependencies: ["Compute", "ReferenceEngine", "Randomness", "Support"],
            swiftSettings: strict),
        .testTarget(
            name: "ModelsTests",
            dependencies: [
                "Models", "Layers", "Compute", "Randomness", "ReferenceEngine", "TestTools",
            ],
            swiftSettings: strict),
        .testTarget(name: "CheckpointsTests", dependencies: ["Models", "Imaging", "TestTools"], swiftSettings: strict),
        .testTarget(
            name: "DatasetsTests", dependencies: ["Datasets", "Imaging", "Randomness", "TestTools"],
            swiftSettings: strict),
        .testTarget(
            name: "CommunicationTests", dependencies: ["Communication", "TestTools"], swiftSettings: strict),
        .testTarget(
            name: "SwiftViTTests", dependencies: ["SwiftViT", "Randomness", "TestTools"], swiftSettings: strict),
        // As another package sees it: without package access.
        .testTarget(name: "PublicAPITests", dependencies: ["SwiftViT"], packageAccess: false, swiftSettings: strict),
        .testTarget(name: "CommandLineTests", dependencies: ["vit", "Imaging", "TestTools"], swiftSettings: strict),
        .testTarget(
            name: "TrainingTests",
            dependencies: [
                "Communication", "Training", "Models", "Datasets", "Imaging", "Compute", "Layers", "Randomness",
                "TestTools",
            ], swiftSettings: strict),
    ]
)

// The fuzz targets are linked with libFuzzer, which takes the compiler's flags of tools/fuzz-targets.
if Context.environment["FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "Fuzz",
            dependencies: [
                "CImageCodecs", "Datasets", "Imaging", "LibC", "Models", "Randomness", "Support", "SwiftViT",
                "TensorFiles", "Training",
            ], path: "Fuzz/Targets", swiftSettings: strictWithPointers))
}
