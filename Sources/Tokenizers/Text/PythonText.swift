// What the references do to a text by Python's own functions.

extension Array where Element == Unicode.Scalar {
    /// `str.strip()`.
    var stripped: Text {
        guard let first = firstIndex(where: { !$0.isPythonSpace }), let last = lastIndex(where: { !$0.isPythonSpace })
        else { return [] }
        return Array(self[first...last])
    }

    /// `" ".join(text.split())`: one space between words, none at the ends.
    var singleSpaced: Text {
        var result = Text()
        result.reserveCapacity(count)
        for scalar in self {
            if !scalar.isPythonSpace {
                result.append(scalar)
            } else if let last = result.last, last != " " {
                result.append(" ")
            }
        }
        if result.last == " " { result.removeLast() }
        return result
    }
}
