/// Makes the index of an archive in one pass.
struct TarIndexBuilder {
    /// Which files a caller wants, as of a directory: by name, or by the first bytes of the content.
    let wants: TarArchive.Selection

    private var entries: [TarIndex.Entry] = []
    private var names: [UInt8] = []
    /// The targets of links, by where their data would be.
    private var links: [UInt64: TarLinks.Target] = [:]
    private var lastName: [UInt8] = []

    /// More members, or more bytes of names, are not kept.
    private static let (memberLimit, nameByteLimit) = (1 << 27, Int(UInt32.max))

    init(wants: TarArchive.Selection) { self.wants = wants }

    /// The index, and what is wrong with the archive from some member on, as a clause.
    consuming func build(_ file: consuming InputFile, byteCount: Int) -> (index: TarIndex, damage: String?) {
        var reader = TarReader(file, byteCount: byteCount)
        var damage: String?
        do throws(TarReader.Damage) {
            while let member = try reader.next() { try append(member, &reader) }
        } catch {
            damage = error.reason
        }
        return (finish(), damage)
    }

    private mutating func append(_ member: TarReader.Member, _ reader: inout TarReader) throws(TarReader.Damage) {
        var (name, kind) = Self.normalized(member.name)
        guard !name.isEmpty else { return }
        if kind == .file {
            switch member.kind {
            case .file: break
            case .sparse: kind = .sparse
            case .other: kind = .other
            case .hardLink, .symbolicLink: kind = .link
            }
        }
        if name.count > TarIndex.nameLimit {
            kind = .nameIsTooLong
            name = Array(name.prefix(255))
        }
        let isWanted: Bool
        if wants.name(String(decoding: name, as: UTF8.self)) {
            isWanted = true
        } else {
            let hasData = member.kind == .file && (kind == .file || kind == .leftOut)
            isWanted = hasData ? wants.head(try reader.head(of: member, wants.headCount)) : false
        }
        guard entries.count < Self.memberLimit, names.count + name.count <= Self.nameByteLimit else {
            throw TarReader.Damage(reason: "holds more than \(entries.count) members; expected smaller archives")
        }
        // A global name would be kept as often as there are members.
        let isSame = name == lastName
        let start = isSame ? names.count - name.count : names.count
        if !isSame { names += name }
        lastName = name
        if kind == .link || kind == .leftOut, member.kind == .hardLink || member.kind == .symbolicLink {
            links[UInt64(member.offset)] = TarLinks.Target(
                path: member.target, isFromTop: member.kind == .hardLink, isLeftOut: kind == .leftOut)
            kind = .link
        }
        entries.append(
            TarIndex.Entry(
                offset: UInt64(member.offset), size: UInt64(member.size), nameStart: UInt32(start),
                nameLength: UInt16(name.count), kind: kind.rawValue, isWanted: isWanted ? 1 : 0))
    }

    /// A name as the index has it: without slashes at its start, `./` and double slashes, as text of the package. Hidden
    /// files and those in hidden folders are left out, as of a directory.
    private static func normalized(_ name: [UInt8]) -> (name: [UInt8], kind: TarIndex.Kind) {
        let (slash, dot) = (UInt8(ascii: "/"), UInt8(ascii: "."))
        let parts = name.split(separator: slash).filter { $0 != [dot] }
        let isPlain = parts.count == name.count(where: { $0 == slash }) + 1
        let joined = isPlain ? name : Array(parts.joined(separator: [slash]))
        let needsEscape = joined.contains { $0 >= 0x80 || $0 == UInt8(ascii: "\\") }
        let text = needsEscape ? Array(Files.text(ofName: joined).utf8) : joined
        let dotted = parts.filter { $0.first == dot }
        if dotted.isEmpty { return (text, .file) }
        return (text, dotted.allSatisfy { $0.elementsEqual([dot, dot]) } ? .leadsOut : .leftOut)
    }

    private consuming func finish() -> TarIndex {
        sort()
        let all = TarIndex(entries: entries, names: names)
        guard !links.isEmpty else {
            let isAll = !entries.contains { $0.kind == TarIndex.Kind.leftOut.rawValue }
            return isAll ? all : TarIndex(entries: entries.filter { !Self.isLeftOut($0) }, names: names)
        }
        let followed = TarLinks(index: all, targets: links).followed()
        return TarIndex(entries: followed.filter { !Self.isLeftOut($0) }, names: names)
    }

    private static func isLeftOut(_ entry: TarIndex.Entry) -> Bool { entry.kind == TarIndex.Kind.leftOut.rawValue }

    /// Sorts by name; of members of one name, the last stays, as unpacking would leave it.
    private mutating func sort() {
        let names = names
        func name(_ entry: TarIndex.Entry) -> ArraySlice<UInt8> {
            names[Int(entry.nameStart)..<Int(entry.nameStart) + Int(entry.nameLength)]
        }
        let isSorted = zip(entries, entries.dropFirst()).allSatisfy { precedes(name($0), name($1)) }
        if isSorted { return }
        entries.sort { one, other in
            if precedes(name(one), name(other)) { return true }
            return one.offset < other.offset && !precedes(name(other), name(one))
        }
        var unique: [TarIndex.Entry] = []
        unique.reserveCapacity(entries.count)
        for entry in entries {
            if let last = unique.last, name(last) == name(entry) { unique.removeLast() }
            unique.append(entry)
        }
        entries = unique
    }
}
