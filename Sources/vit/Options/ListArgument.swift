import ArgumentParser

/// Comma-separated numbers: `10,20,100`.
struct ListArgument<Number: LosslessStringConvertible & Sendable>: ExpressibleByArgument {
    let values: [Number]

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        values = parts.compactMap { Number(String($0)) }
        if values.count != parts.count { return nil }
    }
}
