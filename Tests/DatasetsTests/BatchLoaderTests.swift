import Datasets
import Foundation
import Imaging
import TestTools
import Testing

@Suite struct BatchLoaderTests {
    /// Images of two classes and many sizes; those in `corrupt` are damaged.
    private static func folder(images: Int, corrupt: Set<Int> = []) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for index in 0..<images {
            let (width, height) = (9 + index % 7, 8 + index % 5)
            let pixels = (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ index &* 57) }
            let bytes = Image(width: width, height: height, channels: 3, pixels: pixels).encodedPNG()
            let name = "\(index % 2 == 0 ? "even" : "odd")/\(index).png"
            try folder.write(corrupt.contains(index) ? Array(bytes.prefix(20)) : bytes, to: name)
        }
        return folder
    }

    private static func options(batchSize: Int = 4, change: (inout BatchLoader.Options) -> Void = { _ in })
        -> BatchLoader.Options
    {
        var options = BatchLoader.Options(
            batchSize: batchSize, augmentation: .crop(RandomResizedCrop(size: .init(height: 8, width: 8))),
            normalization: Preprocessing(resize: .none))
        change(&options)
        return options
    }

    /// What a batch holds, bit for bit.
    private struct Content: Equatable {
        let step: Int
        let epoch: Int
        let part: Int
        let paths: [String]
        let labels: [Int]
        let images: [Image]

        init(_ batch: Batch) {
            (step, epoch, part) = (batch.step, batch.epoch, batch.part)
            (paths, labels, images) = (batch.paths, batch.labels, batch.images)
        }
    }

    private func take(_ count: Int, from loader: BatchLoader) throws -> [Content] {
        try (0..<count).map { _ in Content(try loader.next()) }
    }

    @Test func epochsHoldEveryImageOnceAndDropTheRest() throws {
        let folder = try Self.folder(images: 22)
        defer { withExtendedLifetime(folder) {} }
        let loader = try BatchLoader(try ImageDataset(at: folder.path), options: Self.options())
        #expect(loader.plan.stepsPerEpoch == 5)
        let batches = try take(10, from: loader)
        #expect(batches.map(\.step) == Array(0..<10))
        #expect(batches.map(\.epoch) == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
        let epochs = [batches[..<5], batches[5...]].map { $0.flatMap(\.paths) }
        for epoch in epochs { #expect(Set(epoch).count == 20) }
        #expect(epochs[0] != epochs[1])
        for batch in batches {
            #expect(batch.labels == batch.paths.map { $0.hasPrefix("even") ? 0 : 1 })
            #expect(batch.images.allSatisfy { $0.width == 8 && $0.height == 8 && $0.channels == 3 })
        }
        #expect(loader.unreadable.isEmpty)
    }

    @Test func resultsDependOnTheSeedAlone() throws {
        let folder = try Self.folder(images: 22, corrupt: [3, 8])
        defer { withExtendedLifetime(folder) {} }
        let set = try ImageDataset(at: folder.path)
        let expected = try take(12, from: try BatchLoader(set, options: Self.options()))
        for (threads, memory) in [(1, 0), (3, 0), (2, 1 << 20), (4, 1500)] {
            let options = Self.options {
                $0.threads = threads
                $0.cacheMemory = memory
            }
            #expect(try take(12, from: try BatchLoader(set, options: options)) == expected)
        }
        #expect(try take(12, from: try BatchLoader(set, options: Self.options { $0.seed = 1 })) != expected)
    }

    @Test(arguments: [0, 1, 4, 5, 7, 11])
    func resumingGivesTheSameBatches(step: Int) throws {
        let folder = try Self.folder(images: 22, corrupt: [3, 8, 21])
        defer { withExtendedLifetime(folder) {} }
        let set = try ImageDataset(at: folder.path)
        let whole = try take(14, from: try BatchLoader(set, options: Self.options()))
        let resumed = try BatchLoader(set, options: Self.options(), startingAt: step)
        #expect(try take(14 - step, from: resumed) == Array(whole[step...]))
    }

    /// What became of the images says nothing of any of them: none is replaced by another.
    @Test func aFolderThatIsGoneEndsTheRun() throws {
        let folder = try Self.folder(images: 22)
        let set = try ImageDataset(at: folder.path)
        var reported: [BatchLoader.Unreadable] = []
        let loader = try BatchLoader(set, options: Self.options()) { reported.append($0) }
        _ = try loader.next()
        let moved = folder.path + "-moved"
        try FileManager.default.moveItem(atPath: folder.path, toPath: moved)
        defer { try? FileManager.default.removeItem(atPath: moved) }
        let error = #expect(throws: InputError.self) { while true { _ = try loader.next() } }
        #expect(error?.kind == .noSuchInput && reported.isEmpty)
        #expect(
            error?.description.hasSuffix(": was moved, removed or unmounted while it was in use; put it back") == true)
    }

    @Test func accumulationTakesTheImagesOfTheLargeBatch() throws {
        let folder = try Self.folder(images: 22)
        defer { withExtendedLifetime(folder) {} }
        let set = try ImageDataset(at: folder.path)
        let large = try take(4, from: try BatchLoader(set, options: Self.options(batchSize: 8)))
        let options = Self.options(batchSize: 2) { $0.accumulate = 4 }
        let small = try take(8, from: try BatchLoader(set, options: options, startingAt: 2))
        #expect(small.map(\.step) == [2, 2, 2, 2, 3, 3, 3, 3])
        #expect(small.map(\.part) == [0, 1, 2, 3, 0, 1, 2, 3])
        #expect(small.flatMap(\.images) == large[2...].flatMap(\.images))
    }

    @Test func corruptImagesAreNamedOnceAndMoveNoOther() throws {
        let corrupt: Set = [3, 8, 21]
        let soundFolder = try Self.folder(images: 22)
        let sound = try ImageDataset(at: soundFolder.path)
        let damagedFolder = try Self.folder(images: 22, corrupt: corrupt)
        let damaged = try ImageDataset(at: damagedFolder.path)
        var reported: [BatchLoader.Unreadable] = []
        let loader = try BatchLoader(damaged, options: Self.options()) { reported.append($0) }
        let expected = try take(15, from: try BatchLoader(sound, options: Self.options()))
        let actual = try take(15, from: loader)
        withExtendedLifetime((soundFolder, damagedFolder)) {}
        let bad: Set = ["odd/3.png", "even/8.png", "odd/21.png"]
        #expect(Set(reported.map(\.path)) == bad)
        #expect(reported.count == 3)
        #expect(reported == loader.unreadable)
        #expect(reported.allSatisfy { !$0.reason.isEmpty && !$0.reason.contains("/") })
        #expect(expected.count == 15 && actual.count == 15)
        for (one, other) in zip(expected, actual) {
            #expect(one.paths.count == other.paths.count)
            for slot in one.paths.indices {
                if bad.contains(one.paths[slot]) {
                    #expect(!bad.contains(other.paths[slot]))
                } else {
                    #expect(one.paths[slot] == other.paths[slot] && one.images[slot] == other.images[slot])
                }
            }
        }
    }

    @Test func aResumedRunNamesOnlyWhatIsNew() throws {
        let folder = try Self.folder(images: 22, corrupt: [3, 8, 21])
        defer { withExtendedLifetime(folder) {} }
        let set = try ImageDataset(at: folder.path)
        let whole = try BatchLoader(set, options: Self.options())
        _ = try take(15, from: whole)
        let first = try BatchLoader(set, options: Self.options())
        while first.unreadable.isEmpty { _ = try first.next() }
        var reported: [String] = []
        let resumed = try BatchLoader(set, options: Self.options(), startingAt: 5, unreadable: first.unreadable) {
            reported.append($0.path)
        }
        _ = try take(10, from: resumed)
        #expect(Set(resumed.unreadable.map(\.path)) == Set(whole.unreadable.map(\.path)))
        #expect(Set(reported).isDisjoint(with: first.unreadable.map(\.path)))
        #expect(reported.count + first.unreadable.count == 3)
    }

    @Test func oneSoundImageIsEnough() throws {
        let folder = try Self.folder(images: 60, corrupt: Set(0..<60).subtracting([41]))
        defer { withExtendedLifetime(folder) {} }
        let loader = try BatchLoader(try ImageDataset(at: folder.path), options: Self.options())
        #expect(try take(15, from: loader).flatMap(\.paths).allSatisfy { $0 == "odd/41.png" })
        #expect(loader.unreadable.count == 59)
    }

    @Test func withoutASoundImageTheRunEnds() throws {
        let folder = try Self.folder(images: 6, corrupt: Set(0..<6))
        defer { withExtendedLifetime(folder) {} }
        let loader = try BatchLoader(try ImageDataset(at: folder.path), options: Self.options())
        let error = #expect(throws: InputError.self) { try loader.next() }
        #expect(
            error?.description
                == "\(folder.path): none of its 6 images can be read; expected PNG or JPEG files")
    }

    @Test func strictStopsAtTheFirst() throws {
        let folder = try Self.folder(images: 22, corrupt: [3])
        defer { withExtendedLifetime(folder) {} }
        let loader = try BatchLoader(
            try ImageDataset(at: folder.path), options: Self.options { $0.isStrict = true })
        let error = #expect(throws: InputError.self) { for _ in 0..<10 { _ = try loader.next() } }
        #expect(error?.path == "\(folder.path)/odd/3.png")
        #expect(error?.kind == .malformed)
    }

    @Test func tooFewImagesForAStep() throws {
        let folder = try Self.folder(images: 6)
        defer { withExtendedLifetime(folder) {} }
        let set = try ImageDataset(at: folder.path)
        let error = #expect(throws: InputError.self) {
            try BatchLoader(set, options: Self.options(batchSize: 4) { $0.accumulate = 2 })
        }
        #expect(
            error?.description
                == "\(folder.path): has 6 images in the training part, fewer than the 8 of a step; expected a smaller "
                + "batch size or more images")
    }

    @Test func filesThatVanishAreUnreadable() throws {
        let folder = try Self.folder(images: 8)
        defer { withExtendedLifetime(folder) {} }
        try folder.write("path,label\neven/0.png,a\nodd/1.png,b\nodd/none.png,b\neven/2.png,a\n", to: "d.csv")
        let loader = try BatchLoader(
            try ImageDataset(at: folder.path + "/d.csv"), options: Self.options(batchSize: 4))
        _ = try loader.next()
        #expect(loader.unreadable.map(\.path) == ["odd/none.png"])
        #expect(loader.unreadable.map(\.reason) == ["No such file or directory"])
    }

    /// The batches from an archive are those from the folder, a damaged image among them.
    @Test func archivesLoadAsFolders() throws {
        let folder = try Self.folder(images: 22, corrupt: [5])
        defer { withExtendedLifetime(folder) {} }
        let set = try ImageDataset(at: folder.path)
        var writer = TarWriter()
        for sample in set.training { writer.add("top/\(sample.path)", try set.imageBytes(of: sample)) }
        let packed = try TemporaryFolder()
        try packed.write(writer.whole, to: "set.tar")
        let loaders = try [set, ImageDataset(at: packed.path + "/set.tar")].map {
            try BatchLoader($0, options: Self.options())
        }
        #expect(try take(12, from: loaders[0]) == take(12, from: loaders[1]))
        #expect(loaders[1].unreadable == loaders[0].unreadable && loaders[0].unreadable.map(\.path) == ["odd/5.png"])
    }

    @Test func anArchiveThatIsReplacedEndsTheRun() throws {
        let folder = try Self.folder(images: 40)
        defer { withExtendedLifetime(folder) {} }
        let set = try ImageDataset(at: folder.path)
        var writer = TarWriter()
        for sample in set.training { writer.add(sample.path, try set.imageBytes(of: sample)) }
        try folder.write(writer.whole, to: "set.tar")
        let loader = try BatchLoader(ImageDataset(at: folder.path + "/set.tar"), options: Self.options(batchSize: 10))
        // In place, as `truncate` does.
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.path + "/set.tar"))
        try handle.truncate(atOffset: 600)
        let error = #expect(throws: InputError.self) { for _ in 0..<30 { _ = try loader.next() } }
        #expect(
            error?.description
                == "\(folder.path)/set.tar: was changed, moved or removed while it was in use; put it back")
        #expect(error?.kind == .noSuchInput)
    }

    @Test func memoryForImagesIsBounded() throws {
        let folder = try Self.folder(images: 22)
        defer { withExtendedLifetime(folder) {} }
        let set = try ImageDataset(at: folder.path)
        let store = ImageStore(set, samples: set.training, decoding: .init(), memory: 1500)
        for _ in 0..<2 {
            for index in 0..<22 { #expect((try? store.image(at: index).get()) != nil) }
        }
        #expect(store.bytesInMemory <= 1500 && store.bytesInMemory > 1000)
        // What is in memory does not need its file.
        let all = ImageStore(set, samples: set.training, decoding: .init(), memory: 1 << 20)
        let before = (0..<22).map { all.image(at: $0) }
        for sample in set.training { try folder.write("", to: sample.path) }
        #expect((0..<22).map { all.image(at: $0) } == before)
    }

    /// A folder of JPEG images, one of them cut off.
    private static func photos() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for index in 0..<9 {
            let (width, height) = (90 + index % 7, 80 + index % 5)
            let pixels = (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0 / 5 &+ index &* 57) }
            let bytes = Image(width: width, height: height, channels: 3, pixels: pixels).encodedJPEG(quality: 90)
            try folder.write(index == 4 ? Array(bytes.prefix(700)) : bytes, to: "\(index < 8 ? "a" : "b")/\(index).jpg")
        }
        return folder
    }

    @Test func memoryMakesNoDifferenceToPhotos() throws {
        let folder = try Self.photos()
        defer { withExtendedLifetime(folder) {} }
        let set = try ImageDataset(at: folder.path)
        let batches = try [0, 70_000, 1 << 30].map { memory in
            let loader = try BatchLoader(set, options: Self.options { $0.cacheMemory = memory })
            let contents = try take(6, from: loader)
            #expect(loader.unreadable.map(\.path) == ["a/4.jpg"])
            return contents
        }
        #expect(batches[1] == batches[0] && batches[2] == batches[0])
        let preprocessing = Preprocessing(resize: .shortestEdge(40), crop: .init(height: 32, width: 32))
        let images = [0, 70_000, 1 << 30].map { memory in
            let store = ImageStore(set, samples: set.training, decoding: .init(), memory: memory)
            let loader = SequentialLoader(
                set.training, in: store, batchSize: 3, preprocessing: preprocessing, threads: 2)
            return Array(AnyIterator { loader.next() }).flatMap(\.images)
        }
        #expect(images[0].count == 8 && images[1] == images[0] && images[2] == images[0])
    }

    @Test func photosThatDoNotFitInMemoryAreNotDecodedAsAWhole() throws {
        let folder = try Self.photos()
        defer { withExtendedLifetime(folder) {} }
        let set = try ImageDataset(at: folder.path)
        let store = ImageStore(set, samples: set.training, decoding: .init(), memory: 70_000)
        let tiny = Image(width: 1, height: 1, channels: 3, pixels: [1, 2, 3])
        for _ in 0..<2 {
            var (decoded, read) = (0, 0)
            for index in set.training.indices {
                _ = store.result(at: index) { image in
                    decoded += 1
                    return image
                } orOfFile: { (_, _) throws(ImageError) in
                    read += 1
                    return tiny
                }
            }
            #expect(decoded == 3 && read == set.training.count - 3)
        }
        #expect(store.bytesInMemory > 60_000 && store.bytesInMemory <= 70_000)
    }

    @Test func batchesAreWrittenNormalisedAndPlanar() throws {
        let folder = try Self.folder(images: 8)
        defer { withExtendedLifetime(folder) {} }
        let normalization = Preprocessing(resize: .none, mean: [0.5, 0.4, 0.3], std: [0.5, 0.25, 0.2])
        var options = Self.options(batchSize: 3)
        options.normalization = normalization
        let loader = try BatchLoader(try ImageDataset(at: folder.path), options: options)
        let batch = try loader.next()
        #expect(batch.images.count == 3)
        for (slot, image) in batch.images.enumerated() {
            var values = [Float](repeating: .nan, count: 3 * 8 * 8)
            var span = values.mutableSpan
            batch.write(slot, into: &span)
            #expect(values == normalization.normalize(image))
        }
    }

    @Test func aSampleMayHaveSeveralViews() throws {
        let folder = try Self.folder(images: 8, corrupt: [2])
        defer { withExtendedLifetime(folder) {} }
        let set = try ImageDataset(at: folder.path)
        let plain = try BatchLoader(set, options: Self.options(batchSize: 3)).next()
        let loader = try BatchLoader(
            set,
            options: Self.options(batchSize: 3) { options in
                options.augmentation = options.augmentation.split(into: [
                    { image, _ in image }, { image, _ in image.flippedHorizontally() },
                    { image, random in random.isTrue(probability: 0.5) ? image : image.flippedHorizontally() },
                ])
            })
        let batch = try loader.next()
        #expect(batch.indices == plain.indices && batch.labels == plain.labels && batch.paths == plain.paths)
        #expect(batch.images.count == 9)
        for (sample, image) in plain.images.enumerated() {
            let views = batch.images[3 * sample..<3 * sample + 3].map { $0 }
            #expect(views[0] == image && views[1] == image.flippedHorizontally() && views[..<2].contains(views[2]))
        }
    }

    @Test func sequentialLoaderKeepsOrderAndLeavesOutTheBad() throws {
        let folder = try Self.folder(images: 11, corrupt: [4])
        defer { withExtendedLifetime(folder) {} }
        let set = try ImageDataset(at: folder.path)
        let preprocessing = Preprocessing(resize: .exact(width: 6, height: 6))
        let loader = SequentialLoader(
            set.training, of: set, batchSize: 4, preprocessing: preprocessing, threads: 2)
        var batches: [Batch] = []
        while let batch = loader.next() { batches.append(batch) }
        #expect(batches.map(\.images.count) == [4, 4, 2])
        let expected = set.training.indices.filter { set.training[$0].path != "even/4.png" }
        #expect(batches.flatMap(\.indices) == expected)
        #expect(batches.flatMap(\.labels) == expected.compactMap { set.training[$0].label })
        #expect(loader.unreadable.map(\.path) == ["even/4.png"])
        #expect(loader.next() == nil)
    }

    @Test func validationsShareAStore() throws {
        let folder = try Self.folder(images: 7)
        defer { withExtendedLifetime(folder) {} }
        let set = try ImageDataset(at: folder.path)
        let store = ImageStore(set, samples: set.training, decoding: .init(), memory: 1 << 20)
        func images() -> [Image] {
            let loader = SequentialLoader(
                set.training, in: store, batchSize: 3,
                preprocessing: Preprocessing(resize: .exact(width: 6, height: 6)),
                threads: 2)
            return Array(AnyIterator { loader.next() }).flatMap(\.images)
        }
        let first = images()
        #expect(first.count == 7)
        for sample in set.training { try folder.write("", to: sample.path) }
        #expect(images() == first)
    }
}
