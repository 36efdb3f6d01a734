/// Follows the links of an archive to its own files.
struct TarLinks {
    /// Where a link leads.
    struct Target {
        /// The bytes of the path.
        let path: [UInt8]
        /// Whether it begins at the top of the archive, as that of a hard link does.
        let isFromTop: Bool
        /// Whether the link itself is left out.
        let isLeftOut: Bool
    }

    /// All members by name, links among them.
    let index: TarIndex
    /// The targets by the offsets of the links' entries.
    let targets: [UInt64: Target]

    /// The system follows as many links for one path; and no sensible path has more parts than this.
    private static let (linkLimit, partLimit) = (40, 256)

    /// All entries, with those of links as what they lead to. A link to a folder is left out: the files in it have names of
    /// their own.
    func followed() -> [TarIndex.Entry] {
        var entries = index.entries
        for place in entries.indices {
            guard entries[place].kind == TarIndex.Kind.link.rawValue, let target = targets[entries[place].offset] else {
                continue
            }
            let (kind, file) = end(of: place, target)
            entries[place].kind = (target.isLeftOut ? TarIndex.Kind.leftOut : kind).rawValue
            entries[place].offset = file?.offset ?? 0
            entries[place].size = file?.size ?? 0
            if let file, file.isWanted != 0 { entries[place].isWanted = 1 }
        }
        return entries
    }

    /// What a link leads to, and the entry of the file there.
    private func end(of place: Int, _ target: Target) -> (kind: TarIndex.Kind, file: TarIndex.Entry?) {
        var path = target.isFromTop ? [] : Array(parts(of: index.bytes(place)).dropLast())
        var rest = Array(parts(of: target.path[...]).reversed())
        var (links, steps) = (0, 0)
        if !target.isFromTop, target.path.first == UInt8(ascii: "/") { return (.linkOut, nil) }
        while let part = rest.popLast() {
            steps += 1
            guard steps <= Self.partLimit else { return (.linkCircle, nil) }
            if part.elementsEqual(".".utf8) { continue }
            if part.elementsEqual("..".utf8) {
                guard path.popLast() != nil else { return (.linkOut, nil) }
                continue
            }
            path.append(part)
            guard let found = find(path), let next = targets[index.entries[found].offset],
                index.kind(found) == .link
            else { continue }
            links += 1
            guard links <= Self.linkLimit, rest.count < Self.partLimit else { return (.linkCircle, nil) }
            if !next.isFromTop, next.path.first == UInt8(ascii: "/") { return (.linkOut, nil) }
            if next.isFromTop { path = [] } else { path.removeLast() }
            rest += parts(of: next.path[...]).reversed()
        }
        guard let found = find(path) else {
            return (index.range(below: text(path)).isEmpty ? .linkNowhere : .leftOut, nil)
        }
        let entry = index.entries[found]
        let kind = index.kind(found)
        return (kind == .leftOut ? .file : kind, kind.reason == nil ? entry : nil)
    }

    private func find(_ path: [ArraySlice<UInt8>]) -> Int? { index.index(of: text(path)) }

    private func text(_ path: [ArraySlice<UInt8>]) -> String {
        String(decoding: Array(path.joined(separator: [UInt8(ascii: "/")])), as: UTF8.self)
    }

    /// The parts of a path, as text of the package.
    private func parts(of path: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        path.prefix(TarIndex.nameLimit).split(separator: UInt8(ascii: "/")).map { part in
            let isPlain = part.allSatisfy { $0 < 0x80 && $0 != UInt8(ascii: "\\") }
            return isPlain ? part : Array(Files.text(ofName: part).utf8)[...]
        }
    }
}
