import Datasets
import Testing

@Suite struct ImageDatasetTests {
    private func folder(_ files: String...) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for file in files { try folder.write(Head.png, to: file) }
        return folder
    }

    private func read(
        _ folder: TemporaryFolder, options: ImageDataset.Options = .init()
    ) throws -> ImageDataset {
        defer { withExtendedLifetime(folder) {} }
        return try ImageDataset(at: folder.path, options: options)
    }

    private func error(
        _ folder: TemporaryFolder, _ path: String = "", options: ImageDataset.Options = .init()
    ) -> (InputError.Kind, String)? {
        defer { withExtendedLifetime(folder) {} }
        let path = path.isEmpty ? folder.path : "\(folder.path)/\(path)"
        let error = #expect(throws: InputError.self) { try ImageDataset(at: path, options: options) }
        return error.map { ($0.kind, String($0.description.replacing(folder.path, with: "D"))) }
    }

    private func described(_ samples: [ImageDataset.Sample]) -> [String] {
        samples.map { "\($0.path)=\($0.label.map { String($0) } ?? "nil")" }
    }

    @Test func classFolders() throws {
        let folder = try folder("b/2.png", "a/x/1.png", "a-c/3.png", "b/1.png")
        try folder.write("about", to: "README.md")
        try folder.write("about", to: "a/README.md")
        let set = try ImageDataset(at: folder.path + "/")
        #expect(set.classes == ["a", "a-c", "b"])
        #expect(described(set.training) == ["a-c/3.png=1", "a/x/1.png=0", "b/1.png=2", "b/2.png=2"])
        #expect(set.validation.isEmpty && set.test.isEmpty && set.notes.isEmpty)
        #expect(set.file(of: set.training[0]) == folder.path + "/a-c/3.png")
        #expect(set.evaluationPart == .training)
    }

    @Test func partFolders() throws {
        let folder = try folder(
            "train/a/1.png", "train/b/2.png", "val/a/3.png", "val/b/4.png", "test/b/5.png", "x/6.png")
        let set = try ImageDataset(at: folder.path)
        #expect(set.classes == ["a", "b"])
        #expect(described(set.training) == ["train/a/1.png=0", "train/b/2.png=1"])
        #expect(described(set.validation) == ["val/a/3.png=0", "val/b/4.png=1"])
        #expect(described(set.test) == ["test/b/5.png=1"])
        #expect(set.evaluationPart == .test)
        #expect(
            set.notes.map { String($0.replacing(folder.path, with: "D")) } == [
                "D: beside train, val and test, \"x\" is not read", "D: the test part has no images of \"a\"",
            ])
    }

    @Test func partNamesMayBeClasses() throws {
        let trains = try folder("train/1.png", "car/2.png")
        #expect(try ImageDataset(at: trains.path).classes == ["car", "train"])
        let flat = try folder("train/1.png", "test/2.png")
        #expect(try ImageDataset(at: flat.path).classes == ["test", "train"])
        let alone = try folder("val/a/1.png", "val/b/1.png")
        #expect(try ImageDataset(at: alone.path).validation.count == 2)
    }

    @Test func anyFolderWillDoWithoutLabels() throws {
        var options = ImageDataset.Options()
        options.requiresLabels = false
        let nested = try folder("1.png", "deep/er/2.png", "z/3.png")
        let set = try ImageDataset(at: nested.path, options: options)
        #expect(described(set.training) == ["1.png=nil", "deep/er/2.png=nil", "z/3.png=nil"])
        #expect(set.classes.isEmpty)
        let split = try folder("train/1.png", "val/2.png")
        let parts = try ImageDataset(at: split.path, options: options)
        #expect(described(parts.training) == ["train/1.png=nil"])
        #expect(described(parts.validation) == ["val/2.png=nil"])
    }

    @Test func badFoldersAreNamed() throws {
        let one = error(try folder("only/1.png", "only/2.png"))
        #expect(one?.0 == .malformed)
        #expect(one?.1 == "D: has one class only, \"only\"; expected at least two class folders or labels")

        let emptyClass = try folder("a/1.png", "b/2.png")
        try emptyClass.write("no image", to: "c/README.md")
        #expect(error(emptyClass)?.1 == "D/c: holds no images; every class needs at least one")

        let other = error(try folder("train/a/1.png", "train/b/1.png", "val/a/1.png", "val/zebra/1.png"))
        #expect(other?.0 == .malformed)
        #expect(
            other?.1
                == "D/val/zebra: \"zebra\" is a class of the validation part only; expected the classes of the "
                + "training part, \"a\", \"b\"")

        let flat = error(try folder("1.png", "2.png"))
        #expect(flat?.0 == .malformed)
        #expect(flat?.1 == "D: holds images, but no class folders; expected one folder per class, as D/CLASS/IMAGE")

        #expect(error(try folder())?.0 == .noImages)
        let missing = error(try folder(), "none")
        #expect(missing?.0 == .noSuchInput)
        #expect(missing?.1 == "D/none: no such file or directory; expected a folder of images, a .tar or a CSV table")

        var unlabelled = ImageDataset.Options()
        unlabelled.requiresLabels = false
        #expect(error(try folder(), options: unlabelled)?.0 == .noImages)
    }

    @Test func emptyFoldersOutsideOfTrainingAreNamed() throws {
        let set = try folder("train/a/1.png", "train/b/1.png", "val/a/1.png")
        try set.write("no image", to: "val/b/README.md")
        try set.write("no image", to: "val/c/README.md")
        let read = try read(set)
        #expect(read.classes == ["a", "b"] && described(read.validation) == ["val/a/1.png=0"])
        for end in ["val/b: holds no images", "val/c: holds no images", "the validation part has no images of \"b\""] {
            #expect(read.notes.contains { $0.hasSuffix(end) }, "\(read.notes)")
        }
    }

    @Test func aTestPartAloneLeavesTheValidationToTheFraction() throws {
        let folder = try TemporaryFolder()
        for index in 0..<40 {
            for part in ["train", "test"] {
                try folder.write(Head.png, to: "\(part)/\(index % 2 == 0 ? "a" : "b")/\(index).png")
            }
        }
        var options = ImageDataset.Options()
        options.validationFraction = 0.25
        let set = try ImageDataset(at: folder.path, options: options)
        #expect(set.test.count == 40 && set.training.count + set.validation.count == 40 && !set.validation.isEmpty)
        #expect(
            set.notes.contains {
                $0.contains("\(set.validation.count) images of the training part (a fraction of 0.25)")
            })
        options.holdsOutBesideTest = false
        #expect(try ImageDataset(at: folder.path, options: options).validation.isEmpty)
    }

    @Test func labelsOfMetadataComeBeforeThoseOfFolders() throws {
        let flat = try folder("1.png", "deep/2.png")
        try flat.write("file_name,label\n1.png,cat\ndeep/2.png,dog\n", to: "metadata.csv")
        let set = try read(flat)
        #expect(set.classes == ["cat", "dog"] && described(set.training) == ["1.png=0", "deep/2.png=1"])
        #expect(described(try ImageDataset(at: flat.path + "/metadata.csv").training) == described(set.training))

        let split = try folder("train/1.png", "train/2.png", "test/3.png")
        try split.write("file_name,label\n1.png,cat\n2.png,dog\n", to: "train/metadata.csv")
        try split.write("file_name,label\n3.png,dog\n", to: "test/metadata.csv")
        let parts = try read(split)
        #expect(described(parts.training) == ["train/1.png=0", "train/2.png=1"])
        #expect(described(parts.test) == ["test/3.png=1"])

        // Without labels in it, those of the folders count.
        let folders = try folder("a/1.png", "b/2.png")
        try folders.write("file_name,text\na/1.png,a cat\n", to: "metadata.csv")
        #expect(try read(folders).classes == ["a", "b"])
    }

    @Test func classesOfAModelAreKept() throws {
        var options = ImageDataset.Options()
        options.classes = ["wolf", "cat", "ant"]
        let set = try read(try folder("cat/1.png", "ant/2.png"), options: options)
        #expect(set.classes == ["wolf", "cat", "ant"])
        #expect(described(set.training) == ["ant/2.png=2", "cat/1.png=1"])
        #expect(
            error(try folder("cat/1.png", "dog/2.png"), options: options)?.1
                == "D/dog: \"dog\" is not a class of the model; expected one of \"ant\", \"cat\", \"wolf\"")
    }

    @Test func validationFractionSplitsByPath() throws {
        let folder = try TemporaryFolder()
        for index in 0..<400 { try folder.write(Head.png, to: "\(index % 2 == 0 ? "a" : "b")/\(index).png") }
        var options = ImageDataset.Options()
        options.validationFraction = 0.25
        let set = try ImageDataset(at: folder.path, options: options)
        #expect(set.training.count + set.validation.count == 400)
        #expect(abs(set.validation.count - 100) < 35)
        #expect(try ImageDataset(at: folder.path, options: options).validation == set.validation)
        options.seed = 1
        #expect(try ImageDataset(at: folder.path, options: options).validation != set.validation)
        options.seed = 0
        // Others that come later move nobody.
        for index in 400..<440 { try folder.write(Head.png, to: "a/\(index).png") }
        let grown = try ImageDataset(at: folder.path, options: options)
        #expect(Set(set.validation.map(\.path)).isSubset(of: grown.validation.map(\.path)))
        #expect(Set(set.training.map(\.path)).isSubset(of: grown.training.map(\.path)))
    }

    @Test func fractionsThatLeaveNothingAreRefused() throws {
        var options = ImageDataset.Options()
        options.validationFraction = 1e-9
        let small = try folder("a/1.png", "b/2.png")
        #expect(
            error(small, options: options)?.1
                == "D: a validation fraction of 1e-09 leaves 2 images for training and 0 for validation; expected some "
                + "of both: change the fraction or add images")
        options.validationFraction = 1.5
        #expect(error(small, options: options)?.0 == .usage)
        options.validationFraction = 0.5
        let split = try read(
            try folder("train/a/1.png", "train/b/1.png", "val/a/1.png"), options: options)
        #expect(split.training.count == 2)
        #expect(split.notes.contains { $0.hasSuffix("is already split; the validation fraction is not used") })
    }
}
