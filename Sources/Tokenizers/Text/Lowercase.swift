extension Array where Element == Unicode.Scalar {
    /// Lower case, every code point by itself, as `tokenizers` (Rust's `char::to_lowercase`) makes it.
    var lowercased: Text { lowercased { _ in false } }

    /// Lower case as Python's `str.lower` makes it: a capital sigma at the end of a word becomes a final one.
    var pythonLowercased: Text { lowercased { isFinalSigma($0) } }

    private func lowercased(isFinalSigma: (Int) -> Bool) -> Text {
        var result = Text()
        result.reserveCapacity(count)
        for index in indices {
            let scalar = self[index]
            if scalar.value < 0x80 {
                let isUpper = scalar.value &- 0x41 < 26
                result.append(isUpper ? Unicode.Scalar(UInt8(truncatingIfNeeded: scalar.value | 0x20)) : scalar)
            } else if scalar.value == 0x3A3, isFinalSigma(index) {
                result.append("\u{3C2}")
            } else {
                result.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
            }
        }
        return result
    }

    /// Whether the capital sigma at `index` ends a word: a cased letter comes before it and none after it.
    private func isFinalSigma(_ index: Int) -> Bool {
        let before = self[..<index].last { !$0.properties.isCaseIgnorable }
        let after = self[(index + 1)...].first { !$0.properties.isCaseIgnorable }
        return before?.properties.isCased == true && after?.properties.isCased != true
    }
}
