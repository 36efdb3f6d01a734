import Support

/// The settings of a configuration file: each is obeyed, cannot matter, is off, or is not understood.
struct KnownSettings {
    /// What is read.
    let obeyed: Set<String>
    /// What changes no result.
    let harmless: Set<String>
    /// The values that switch a setting off.
    var off: [JSON] = [.null, .bool(false)]
    /// Settings that are right with these values alone, and where they are not stated.
    var fixed: [String: [JSON]] = [:]

    /// Throws where a setting in `json`, of the file at `path`, is not understood.
    func check(_ json: JSON, path: String) throws(CheckpointError) {
        guard let setting = unknown(in: json).first else { return }
        throw .malformed(
            path,
            "states \(setting.name) as \(setting.value.text(compact: true)), which is not understood and may change what the "
                + "model computes; take it out if it does not")
    }

    /// The settings in `json` that are not understood.
    func unknown(in json: JSON) -> [JSON.Member] {
        (json.members ?? []).filter { member in
            if obeyed.contains(member.name) || harmless.contains(member.name) { return false }
            guard let values = fixed[member.name] else { return !off.contains(member.value) }
            return member.value != .null && !values.contains(member.value)
        }
    }
}
