import Support

extension DatasetBuilder {
    /// The name of the table that Hugging Face's image folders have beside their images.
    static let metadataName = "metadata.csv"

    /// Reads the table that the data set is.
    mutating func readTable() throws(InputError) {
        let bytes: [UInt8]
        do {
            bytes = try Files.bytes(of: place)
        } catch {
            throw InputError(error, opening: place, expected: "a folder of images or a CSV table")
        }
        try readTable(bytes, of: place)
        try checkThatSomeFilesExist()
    }

    /// The table with a column for labels in a folder of images; nil where there is none.
    func metadata(in folder: String, of source: some ImageFolder) throws(InputError) -> [UInt8]? {
        guard let bytes = try source.table(Self.metadataName, in: folder) else { return nil }
        var reader = CSVReader(bytes)
        let table = Files.join(source.place(folder), Self.metadataName)
        guard let header = try? reader.next(), let columns = try? Columns(header, of: self, in: table) else {
            return nil
        }
        return columns.label == nil ? nil : bytes
    }

    /// Reads a table with a header line that has the columns path (or file_name), label and split, in any order and among
    /// others.
    ///
    /// - Parameters:
    ///   - place: the table's path.
    ///   - folder: what the paths are relative to, itself relative to the root.
    ///   - part: the part of lines that state none.
    mutating func readTable(
        _ bytes: [UInt8], of place: String, in folder: String = "", as part: Part = .training
    ) throws(InputError) {
        var reader = CSVReader(bytes)
        do {
            guard let header = try reader.next() else {
                throw malformed("\(place): is empty; expected a table that begins with the line path,label")
            }
            let columns = try Columns(header, of: self, in: place)
            reader.pathColumn = columns.path
            var known: [BytewiseText: Known] = [:]
            while let record = try reader.next() {
                try add(record, of: place, in: folder, as: part, columns: columns, known: &known)
            }
        } catch let error as CSVReader.Malformed {
            throw malformed("\(place), line \(error.line): \(error.reason)")
        } catch let error as InputError {
            throw error
        } catch {
            throw malformed("\(place): \(error)")
        }
    }

    /// The indices of the columns.
    private struct Columns {
        let count: Int
        let path: Int
        let label: Int?
        let split: Int?

        init(_ header: CSVReader.Record, of builder: DatasetBuilder, in place: String) throws(InputError) {
            let names = header.fields.map { $0.lowercased().filter { !$0.isWhitespace } }
            guard let path = names.firstIndex(of: "path") ?? names.firstIndex(of: "file_name") else {
                throw builder.malformed(
                    "\(place), line \(header.line): no column is called path; expected the first line "
                        + "path,label or path,label,split")
            }
            count = names.count
            self.path = path
            label = names.firstIndex(of: "label")
            split = names.firstIndex(of: "split")
            if label == nil && builder.options.requiresLabels {
                throw builder.malformed(
                    "\(place), line \(header.line): no column is called label; expected the first line "
                        + "path,label or path,label,split")
            }
        }
    }

    /// What an earlier line states about a path.
    private struct Known {
        let line: Int
        let label: Int?
        let part: Part
    }

    private mutating func add(
        _ record: CSVReader.Record, of place: String, in folder: String, as standard: Part, columns: Columns,
        known: inout [BytewiseText: Known]
    ) throws(InputError) {
        let line = "\(place), line \(record.line)"
        guard record.fields.count == columns.count else {
            throw malformed(
                "\(line): has \(record.fields.count) fields; expected \(columns.count) as in the first line")
        }
        var path = record.fields[columns.path]
        guard !path.isEmpty else { throw malformed("\(line): the path is empty; expected an image file") }
        if !folder.isEmpty, path.utf8.first != UInt8(ascii: "/") { path = Files.join(folder, path) }
        path = Files.named(path, in: root)
        try checkArchive(ofFile: path, line: line)
        let stated = try columns.split.map { column throws(InputError) in
            try self.part(record.fields[column], line: line)
        }
        let part = stated ?? standard
        isSplit = isSplit || part != .training
        var label: Int?
        if options.requiresLabels, let column = columns.label {
            let name = record.fields[column]
            guard !name.isEmpty else { throw malformed("\(line): the label is empty; expected the name of a class") }
            label = try self.label(name, part: part, place: line)
        }
        if let earlier = known[BytewiseText(path)], earlier.label != label || earlier.part != part {
            throw malformed(
                "\(line): gives \(path) another label or split than line \(earlier.line); expected one for each image")
        }
        known[BytewiseText(path)] = Known(line: record.line, label: label, part: part)
        append(Sample(path: path, label: label), to: part)
    }

    /// Opens the archive that a path leads through, which is told by its name here: a look at each file would take long. Throws
    /// where a table in an archive names a file outside.
    private func checkArchive(ofFile path: String, line: String) throws(InputError) {
        if isArchive, path.utf8.first == UInt8(ascii: "/") {
            throw malformed("\(line): \(path) lies outside of the archive; expected a path relative to the table")
        }
        if !isArchive, path.contains(".tar/") { _ = archives.findMember(ImageDataset.file(path, in: root)) }
    }

    private func part(_ name: String, line: String) throws(InputError) -> Part {
        switch name.lowercased() {
        case "train", "training": return .training
        case "val", "valid", "validation", "dev": return .validation
        case "test": return .test
        default: throw malformed("\(line): the split is \"\(name)\"; expected train, val or test")
        }
    }

    /// Throws if all files are missing: the paths are then relative to another folder. A single missing file is one bad image.
    private func checkThatSomeFilesExist() throws(InputError) {
        let all = Part.allCases.flatMap { samples[$0] ?? [] }
        guard let first = all.first else { return }
        let exists = all.contains { sample in
            let file = ImageDataset.file(sample.path, in: root)
            return !Files.isMissing(file) || archives.member(file) != nil
        }
        if !exists {
            throw malformed(
                "\(place): none of its files exists, such as \(ImageDataset.file(first.path, in: root)); expected paths "
                    + "relative to the folder of the table", kind: .noSuchInput)
        }
    }
}
