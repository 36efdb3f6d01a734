import Datasets
import Foundation
import Support
import Testing

@Suite struct DatasetTableTests {
    private func folder(_ table: String) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for name in ["a 1.png", "b,2.png", "sub/3.png"] { try folder.write(Head.png, to: name) }
        try folder.write(table, to: "data.csv")
        return folder
    }

    private func read(_ table: String, labels: Bool = true) throws -> ImageDataset {
        var options = ImageDataset.Options()
        options.requiresLabels = labels
        let folder = try folder(table)
        defer { withExtendedLifetime(folder) {} }
        return try ImageDataset(at: folder.path + "/data.csv", options: options)
    }

    private func error(_ table: String, labels: Bool = true) -> String? {
        let error = #expect(throws: InputError.self) { try read(table, labels: labels) }
        #expect(error?.kind == .malformed)
        return error.flatMap { $0.description.split(separator: "data.csv", maxSplits: 1).last.map { String($0) } }
    }

    @Test func pathsAndLabels() throws {
        let folder = try folder("path,label\na 1.png,dog\n\"b,2.png\",cat\nsub/3.png,dog\n")
        let set = try ImageDataset(at: folder.path + "/data.csv")
        #expect(set.classes == ["cat", "dog"])
        #expect(set.training.map(\.path) == ["a 1.png", "b,2.png", "sub/3.png"])
        #expect(set.training.map(\.label) == [1, 0, 1])
        #expect(set.root == folder.path)
        #expect(set.file(of: set.training[2]) == folder.path + "/sub/3.png")
    }

    @Test func columnsInAnyOrderWithSplits() throws {
        let set = try read("Split,note,Label,path\ntrain,x,1,a 1.png\nVAL,y,2,\"b,2.png\"\ntrain,,2,sub/3.png\n")
        #expect(set.training.map(\.label) == [0, 1])
        #expect(set.validation.map(\.path) == ["b,2.png"])
    }

    @Test func labelsAreNotNeededForPreTraining() throws {
        let set = try read("path\na 1.png\nmissing.png\n", labels: false)
        #expect(set.training.map(\.label) == [nil, nil])
    }

    /// The same letters in two Unicode forms are two files, and two classes.
    @Test func namesAreComparedByTheirBytes() throws {
        let (composed, decomposed) = ("\u{E9}", "e\u{301}")
        let folder = try folder("path,label\n\(composed).png,dog\n\(decomposed).png,cat\n")
        for name in [composed, decomposed] { try folder.write(Head.png, to: "\(name).png") }
        #expect(try ImageDataset(at: folder.path + "/data.csv").training.map(\.label) == [1, 0])
        let classes = try TemporaryFolder()
        for name in [composed, decomposed] { try classes.write(Head.png, to: "\(name)/1.png") }
        let set = try ImageDataset(at: classes.path)
        #expect(set.classes.count == 2 && set.training.map(\.label) == [0, 1])
    }

    @Test func absolutePathsStay() throws {
        let folder = try folder("path,label\n/dev/null,x\na 1.png,y\n")
        let set = try ImageDataset(at: folder.path + "/data.csv")
        #expect(set.file(of: set.training[0]) == "/dev/null")
    }

    @Test func errorsNameTheLine() {
        #expect(error("") == ": is empty; expected a table that begins with the line path,label")
        #expect(
            error("file,label\n")
                == ", line 1: no column is called path; expected the first line path,label or path,label,split")
        #expect(
            error("path,class\n")
                == ", line 1: no column is called label; expected the first line path,label or path,label,split")
        #expect(error("path,label\na 1.png,x\nb\n") == ", line 3: has 1 fields; expected 2 as in the first line")
        #expect(error("path,label\na 1.png,\n") == ", line 2: the label is empty; expected the name of a class")
        #expect(error("path,label\n,x\n") == ", line 2: the path is empty; expected an image file")
        #expect(
            error("path,label,split\na 1.png,x,later\n")
                == ", line 2: the split is \"later\"; expected train, val or test")
        #expect(error("path,label\n\"a 1.png,x\n") == ", line 2: a quote is never closed")
        #expect(
            error("path,label\na 1.png,x\na 1.png,y\n")
                == ", line 3: gives a 1.png another label or split than line 2; expected one for each image")
        #expect(
            error("path,label,split\na 1.png,x,train\nsub/3.png,y,train\n\"b,2.png\",z,val\n")
                == ", line 4: \"z\" is a class of the validation part only; expected the classes of the training part, "
                + "\"x\", \"y\"")
        #expect(
            error("path,label\na 1.png,x\n")
                == ": has one class only, \"x\"; expected at least two class folders or labels")
    }

    @Test func tablesWithoutImagesAreNamed() {
        let empty = #expect(throws: InputError.self) { try read("path,label\n") }
        #expect(empty?.kind == .noImages)
        let missing = #expect(throws: InputError.self) { try read("path,label\nq.png,x\nr.png,y\n") }
        #expect(missing?.kind == .noSuchInput)
        #expect(
            missing?.description.hasSuffix("q.png; expected paths relative to the folder of the table") == true)
    }

    @Test func fingerprintsTellChanges() throws {
        let folder = try folder("path,label\na 1.png,x\nsub/3.png,y\n")
        func fingerprint() throws -> DataFingerprint {
            try DataFingerprint(of: try ImageDataset(at: folder.path + "/data.csv"))
        }
        let before = try fingerprint()
        #expect(try fingerprint() == before)
        #expect(try fingerprint().change(since: before) == nil)
        try folder.write("path,label\na 1.png,y\nsub/3.png,x\n", to: "data.csv")
        #expect(try fingerprint().change(since: before) == "has other names, labels or sizes than when the run began")
        try folder.write("path,label\na 1.png,x\nsub/3.png,y\n\"b,2.png\",y\n", to: "data.csv")
        #expect(try fingerprint().change(since: before) == "has 3 images, 2 when the run began")
        try folder.write("path,label\na 1.png,x\nsub/3.png,y\n", to: "data.csv")
        try folder.write(Head.png + [1], to: "a 1.png")
        #expect(try fingerprint().change(since: before) == "has 19 bytes in its images, 18 when the run began")
        try folder.write(Head.jpeg + [1, 2, 3, 4], to: "a 1.png")
        #expect(try fingerprint().change(since: before) == "has files that were changed since the run began")
    }

    /// Without its size, a file would be taken for another one, and the set for one that was changed.
    @Test func aFileThatCannotBeExaminedHasNoFingerprint() throws {
        let folder = try folder("path,label\na 1.png,x\nsub/3.png,y\n")
        let dataset = try ImageDataset(at: folder.path + "/data.csv")
        let file = folder.path + "/a 1.png"
        try FileManager.default.removeItem(atPath: file)
        _ = try DataFingerprint(of: dataset)
        try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: "a 1.png")
        let error = try #require(throws: FileError.self) { try DataFingerprint(of: dataset) }
        #expect(error.kind == .inputOutput)
        #expect(error.description == "\(file): cannot be examined: too many levels of symbolic links")
    }
}
