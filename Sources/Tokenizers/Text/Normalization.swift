/// Unicode's normal forms (UAX 15), by tables of this package: the standard library keeps its own to itself.
struct Normalization: Sendable {
    private var classes: [UInt32: UInt8] = [:]
    /// One step each; the second is nil where a character stands for one other.
    private var canonical: [UInt32: (UInt32, UInt32?)] = [:]
    private var compositions: [UInt64: UInt32] = [:]
    private var compatible: [UInt32: [UInt32]] = [:]

    private static let shared = Normalization()

    private init() {
        var reader = VarintReader(
            unpackTable(NormalizationTable.packed, byteCount: NormalizationTable.byteCount))
        var code: UInt32 = 0
        for _ in 0..<reader.next() {
            code += reader.next()
            classes[code] = reader.nextByte()
        }
        code = 0
        for _ in 0..<reader.next() {
            let head = reader.next()
            code += head >> 2
            let first = reader.next()
            let second = head & 2 == 0 ? nil : reader.next()
            canonical[code] = (first, second)
            if head & 1 != 0, let second { compositions[UInt64(first) << 32 | UInt64(second)] = code }
        }
        code = 0
        for _ in 0..<reader.next() {
            code += reader.next()
            compatible[code] = (0..<reader.next()).map { _ in reader.next() }
        }
    }

    enum Form: Sendable { case composed, decomposed, compatibleComposed, compatibleDecomposed }

    /// `text` in a normal form.
    static func normalize(_ text: Text, _ form: Form) -> Text {
        // The first mark that composes is U+0300; what comes before Latin's first compatible character is ASCII.
        let first: UInt32 =
            switch form {
            case .composed: 0x300
            case .decomposed: 0xC0
            case .compatibleComposed, .compatibleDecomposed: 0xA0
            }
        guard text.contains(where: { $0.value >= first }) else { return text }
        return shared.normalize(text, form)
    }

    private func normalize(_ text: Text, _ form: Form) -> Text {
        let isCompatible = form == .compatibleComposed || form == .compatibleDecomposed
        var values: [UInt32] = []
        values.reserveCapacity(text.count + text.count / 4)
        for scalar in text { decompose(scalar.value, isCompatible, into: &values) }
        let marks = order(&values)
        if form == .composed || form == .compatibleComposed { compose(&values, marks) }
        return values.compactMap { Unicode.Scalar($0) }
    }

    // MARK: Steps

    private static let hangulStart: UInt32 = 0xAC00
    private static let hangulCount: UInt32 = 11_172

    private func decompose(_ value: UInt32, _ isCompatible: Bool, into values: inout [UInt32]) {
        if value < 0xA0 {
            values.append(value)
        } else if value &- Self.hangulStart < Self.hangulCount {
            let index = value - Self.hangulStart
            values.append(0x1100 + index / 588)
            values.append(0x1161 + index % 588 / 28)
            if index % 28 != 0 { values.append(0x11A7 + index % 28) }
        } else if let (first, second) = canonical[value] {
            decompose(first, isCompatible, into: &values)
            if let second { decompose(second, isCompatible, into: &values) }
        } else if isCompatible, let parts = compatible[value] {
            for part in parts { decompose(part, isCompatible, into: &values) }
        } else {
            values.append(value)
        }
    }

    /// Brings runs of marks into the order of their classes, which it returns, one a value.
    private func order(_ values: inout [UInt32]) -> [UInt8] {
        var marks = values.map { $0 < 0x300 ? 0 : classes[$0] ?? 0 }
        var start = 0
        while start < values.count {
            guard marks[start] != 0 else {
                start += 1
                continue
            }
            var end = start + 1
            var isOrdered = true
            while end < values.count, marks[end] != 0 {
                if marks[end] < marks[end - 1] { isOrdered = false }
                end += 1
            }
            if !isOrdered {
                // Stable, since marks of one class keep their order; not by insertion, since a run may be long.
                let sorted = (start..<end).sorted { (marks[$0], $0) < (marks[$1], $1) }
                let (newValues, newMarks) = (sorted.map { values[$0] }, sorted.map { marks[$0] })
                values.replaceSubrange(start..<end, with: newValues)
                marks.replaceSubrange(start..<end, with: newMarks)
            }
            start = end
        }
        return marks
    }

    private func compose(_ values: inout [UInt32], _ marks: [UInt8]) {
        var kept = 0
        var starter: Int?
        var lastMark: UInt8 = 0
        for index in values.indices {
            let mark = marks[index]
            // A mark composes with the starter unless another of its class or above stands between them.
            let isAdjacent = starter.map { kept == $0 + 1 } ?? false
            if let place = starter, isAdjacent || (mark != 0 && lastMark < mark),
                let composed = composition(values[place], values[index])
            {
                values[place] = composed
                continue
            }
            if mark == 0 { starter = kept }
            lastMark = mark
            values[kept] = values[index]
            kept += 1
        }
        values.removeLast(values.count - kept)
    }

    private func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
        if first &- 0x1100 < 19, second &- 0x1161 < 21 {
            return Self.hangulStart + ((first - 0x1100) * 21 + second - 0x1161) * 28
        }
        if first &- Self.hangulStart < Self.hangulCount, (first - Self.hangulStart) % 28 == 0, second &- 0x11A8 < 27 {
            return first + second - 0x11A7
        }
        return compositions[UInt64(first) << 32 | UInt64(second)]
    }
}
