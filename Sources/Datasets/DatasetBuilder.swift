import Support

/// Collects the samples of a data set, numbers its classes and validates it.
struct DatasetBuilder {
    typealias Part = ImageDataset.Part
    typealias Sample = ImageDataset.Sample

    /// The folder or table, as the user gave it.
    let place: String
    let root: String
    let options: ImageDataset.Options
    let archives: Archives
    /// Whether the images lie in archives.
    let isArchive: Bool
    private(set) var classes: [String] = []
    var samples: [Part: [Sample]] = [:]
    var notes: [String] = []
    /// Whether the data are split already.
    var isSplit = false

    private var indices: [BytewiseText: Int] = [:]
    /// Where each class of each part first occurs: a folder, or a line of the table.
    private var places: [Part: [Int: String]] = [:]

    init(_ source: DatasetSource, place: String, options: ImageDataset.Options, archives: Archives) {
        self.place = place
        self.options = options
        self.archives = archives
        root = source.root
        isArchive = source.isArchive
        for (index, name) in (options.classes ?? []).enumerated() where indices[BytewiseText(name)] == nil {
            indices[BytewiseText(name)] = index
        }
        classes = options.classes ?? []
    }

    /// The index of a class, added if it is new; a model's classes cannot be extended.
    mutating func label(_ name: String, part: Part, place: @autoclosure () -> String) throws(InputError) -> Int {
        let index: Int
        if let known = indices[BytewiseText(name)] {
            index = known
        } else if isArchive, let number = Int(name), let all = options.classes, all.indices.contains(number),
            all.allSatisfy({ Int($0) == nil })
        {
            // WebDataset's labels are often numbers only, in the order of the classes.
            index = number
        } else if options.classes != nil {
            throw malformed(
                "\(place()): \"\(name)\" is not a class of the model; expected one of \(Self.list(classes))")
        } else {
            index = classes.count
            indices[BytewiseText(name)] = index
            classes.append(name)
        }
        if places[part]?[index] == nil { places[part, default: [:]][index] = place() }
        return index
    }

    mutating func append(_ sample: Sample, to part: Part) { samples[part, default: []].append(sample) }

    func malformed(_ description: String, kind: InputError.Kind = .malformed) -> InputError {
        InputError(kind: kind, path: place, description: description)
    }

    /// Splits, sorts and validates; afterwards the properties are the data set's.
    mutating func finish() throws(InputError) {
        if samples.values.allSatisfy(\.isEmpty) {
            throw malformed(
                "\(place): holds no images; expected PNG or JPEG files as DATA/CLASS/… or a table with the columns "
                    + "path,label", kind: .noImages)
        }
        if options.requiresLabels {
            if options.classes == nil { try checkClasses() }
            try checkParts()
        }
        try splitOffValidation()
        if options.classes == nil { sortClasses() }
    }

    private func checkClasses() throws(InputError) {
        if classes.count < 2 {
            throw malformed(
                "\(place): has one class only, \(Self.list(classes)); expected at least two class folders or labels")
        }
        for part in Part.allCases {
            let present = Set((samples[part] ?? []).compactMap(\.label))
            let empty = (places[part] ?? [:]).filter { !present.contains($0.key) }.map(\.value)
            if let first = empty.min(by: { $0.precedesBytewise($1) }) {
                throw malformed("\(first): holds no images; every class needs at least one")
            }
        }
    }

    /// Throws if validation or test have classes that training lacks.
    private mutating func checkParts() throws(InputError) {
        guard let known = places[.training], !known.isEmpty else { return }
        for part in [Part.validation, .test] {
            guard let present = places[part], !present.isEmpty else { continue }
            let surplus = present.keys.filter { known[$0] == nil }.sorted { classes[$0].precedesBytewise(classes[$1]) }
            if let first = surplus.first, let place = present[first] {
                throw malformed(
                    "\(place): \"\(classes[first])\" is a class of the \(part.rawValue) part only; "
                        + "expected the classes of the training part, \(Self.list(known.keys.map { classes[$0] }))")
            }
            let missing = known.keys.filter { present[$0] == nil }.map { classes[$0] }
            if !missing.isEmpty {
                notes.append("\(self.place): the \(part.rawValue) part has no images of \(Self.list(missing))")
            }
        }
    }

    private mutating func splitOffValidation() throws(InputError) {
        guard options.validationFraction > 0 else { return }
        if isSplit {
            let hasTestAlone = samples[.validation] == nil && samples[.test] != nil && samples[.training] != nil
            guard hasTestAlone, options.holdsOutBesideTest else {
                notes.append("\(place): is already split; the validation fraction is not used")
                return
            }
        }
        let (fraction, seed) = (options.validationFraction, options.seed)
        var (kept, split): ([Sample], [Sample]) = ([], [])
        for sample in samples[.training] ?? [] {
            if ImageDataset.isValidation(sample.path, fraction: fraction, seed: seed) {
                split.append(sample)
            } else {
                kept.append(sample)
            }
        }
        if kept.isEmpty || split.isEmpty {
            throw malformed(
                "\(place): a validation fraction of \(fraction) leaves \(kept.count) images for training and "
                    + "\(split.count) for validation; expected some of both: change the fraction or add images",
                kind: .usage)
        }
        let remaining = Set(kept.compactMap(\.label))
        let lost = Set(split.compactMap(\.label)).subtracting(remaining).map { classes[$0] }
        if options.requiresLabels && options.classes == nil && !lost.isEmpty {
            throw malformed(
                "\(place): a validation fraction of \(fraction) leaves no image of \(Self.list(lost)) for training; "
                    + "lower it or add images", kind: .usage)
        }
        samples[.training] = kept
        samples[.validation] = split
        if isSplit {
            notes.append(
                "\(place): has a test part but none for validation; \(counted(split.count, "image")) of the training part "
                    + "(a fraction of \(fraction)) are held out, and the test part stays for evaluation")
        }
    }

    /// Renumbers the classes in the order of their names.
    private mutating func sortClasses() {
        let numbers = isArchive ? classes.compactMap { Int($0) } : []
        // Numbered classes of an archive keep their numbers where none is missing.
        let isNumbered = numbers.count == classes.count
        let order = classes.indices.sorted {
            isNumbered ? numbers[$0] < numbers[$1] : classes[$0].precedesBytewise(classes[$1])
        }
        var rank = [Int](repeating: 0, count: order.count)
        for (new, old) in order.enumerated() { rank[old] = new }
        classes = order.map { classes[$0] }
        for part in Part.allCases {
            samples[part] = samples[part]?.map { sample in
                Sample(path: sample.path, label: sample.label.map { rank[$0] })
            }
        }
    }

    /// Names for a message, sorted, at most ten.
    static func list(_ names: [String]) -> String {
        let sorted = names.sorted { $0.precedesBytewise($1) }
        let shown = sorted.prefix(10).map { "\"\($0)\"" }.joined(separator: ", ")
        return sorted.count > 10 ? "\(shown) and \(sorted.count - 10) more" : shown
    }
}
