/// Whether two lists have as many values, and no two of a pair are `tolerance` or more apart; false where one is NaN.
public func isClose<One: BinaryFloatingPoint, Other: BinaryFloatingPoint>(
    _ one: some Sequence<One>, _ other: some Sequence<Other>, within tolerance: Double
) -> Bool {
    let (one, other) = (Array(one), Array(other))
    return one.count == other.count && zip(one, other).allSatisfy { abs(Double($0) - Double($1)) < tolerance }
}
