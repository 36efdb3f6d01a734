/// The members of a tar archive, one after the other, in one pass over the file that skips their data.
struct TarReader: ~Copyable {
    /// A file or a link.
    struct Member {
        enum Kind {
            case file, hardLink, symbolicLink
            /// Its data cannot be read in place.
            case sparse, other
        }

        let kind: Kind
        let name: [UInt8]
        let target: [UInt8]
        /// Where its data begin.
        let offset: Int
        let size: Int
    }

    /// Where an archive cannot be read further, and why.
    struct Damage: Error {
        /// A clause about the archive.
        let reason: String
    }

    /// No name or record needs more.
    private static let headerLimit = 1 << 20
    /// Behind members of this size, reading ahead would read their data.
    private static let largeSize = 1 << 16

    private let file: InputFile
    private let byteCount: Int
    /// Where the next header is.
    private var position = 0
    private var global = TarRecords()
    /// What was read last, and where it begins.
    private var window: [UInt8] = []
    private var windowStart = 0
    private var isAmongLarge = false
    /// The member before, for messages.
    private var lastName: [UInt8] = []

    init(_ file: consuming InputFile, byteCount: Int) {
        self.file = file
        self.byteCount = byteCount
    }

    /// The next file or link; nil at the end of the archive.
    mutating func next() throws(Damage) -> Member? {
        var records = global
        var (longName, longLink): ([UInt8]?, [UInt8]?)
        while let header = try nextHeader() {
            switch header.kind {
            case .longName: longName = Array(try content(of: header).prefix { $0 != 0 })
            case .longLink: longLink = Array(try content(of: header).prefix { $0 != 0 })
            case .extended: try add(content(of: header), to: &records)
            case .globallyExtended:
                records = global
                try add(content(of: header), to: &records)
                global = records
            case .noFile: break
            case .file, .hardLink, .symbolicLink, .sparse, .other:
                // A sparse file's name is another one in the header.
                let name = records.sparseName ?? records.name ?? longName ?? header.name
                return try member(
                    header, name: name, target: records.target ?? longLink ?? header.target, records)
            }
            if header.kind == .noFile {
                (longName, longLink) = (nil, nil)
                records = global
            }
        }
        return nil
    }

    /// The first bytes of a member's data, `count` at most.
    mutating func head(of member: Member, _ count: Int) throws(Damage) -> [UInt8] {
        try bytes(min(count, member.size), at: member.offset)
    }

    private mutating func member(
        _ header: TarHeader, name: [UInt8], target: [UInt8], _ records: TarRecords
    ) throws(Damage) -> Member {
        lastName = name
        let kind: Member.Kind =
            switch header.kind {
            case .hardLink: .hardLink
            case .symbolicLink: .symbolicLink
            case .sparse: .sparse
            case .other: .other
            default: records.isSparse ? .sparse : .file
            }
        // Where links state a size, it is that of the file, and no data follow.
        let hasData = kind != .hardLink && kind != .symbolicLink
        if header.kind == .sparse, header.isContinued { try skipMap() }
        let (offset, size) = (position, hasData ? records.size ?? header.size : 0)
        try skip(size)
        return Member(kind: kind, name: name, target: target, offset: offset, size: size)
    }

    /// The header at the current position, which then lies behind it; nil at the mark that ends the archive.
    private mutating func nextHeader() throws(Damage) -> TarHeader? {
        guard position < byteCount else {
            throw Damage(
                reason:
                    "ends at byte \(byteCount)\(behindLast) without the empty block that ends a tar archive; it was "
                    + "cut off: copy or download it again")
        }
        let block = try bytes(TarHeader.blockSize, at: position)
        guard block.count == TarHeader.blockSize else {
            throw Damage(
                reason: "ends at byte \(byteCount) within a header\(behindLast); it was cut off: copy or download it "
                    + "again")
        }
        if block[0] == 0, TarHeader.isZero(block.span) { return nil }
        guard let header = TarHeader(block.span) else {
            throw Damage(reason: "is damaged: there is no header of tar at byte \(position)\(behindLast)")
        }
        position += TarHeader.blockSize
        return header
    }

    private var behindLast: String {
        lastName.isEmpty ? "" : ", behind \"\(Files.text(ofName: lastName.prefix(255)))\","
    }

    private func damaged(_ what: String) -> Damage {
        Damage(reason: "is damaged: \(what) before byte \(position)")
    }

    private func add(_ content: [UInt8], to records: inout TarRecords) throws(Damage) {
        guard records.add(content) != nil else { throw damaged("the extended header is malformed") }
    }

    /// What a header that describes others is followed by.
    private mutating func content(of header: TarHeader) throws(Damage) -> [UInt8] {
        guard header.size <= Self.headerLimit else {
            throw damaged("an extended header of \(header.size) bytes is larger than any needs to be")
        }
        let content = try bytes(header.size, at: position)
        try skip(header.size)
        return content
    }

    /// Skips the blocks of a sparse file's map, each of which says whether another one follows.
    private mutating func skipMap() throws(Damage) {
        while true {
            let block = try bytes(TarHeader.blockSize, at: position)
            try skip(TarHeader.blockSize)
            if block[504] == 0 { return }
        }
    }

    /// Skips data and what fills up their last block, which may be missing at the end.
    private mutating func skip(_ size: Int) throws(Damage) {
        guard size <= byteCount - position else {
            throw Damage(
                reason:
                    "ends at byte \(byteCount) within \"\(Files.text(ofName: lastName.prefix(255)))\", which begins at "
                    + "byte \(position) and has \(size) bytes; it was cut off: copy or download it again")
        }
        isAmongLarge = size >= Self.largeSize
        let block = TarHeader.blockSize
        position = min(position + size / block * block + (size % block == 0 ? 0 : block), byteCount)
    }

    /// Bytes from the window, which is moved where they are not all in it; fewer at the end of the file.
    private mutating func bytes(_ count: Int, at offset: Int) throws(Damage) -> [UInt8] {
        let end = min(offset + count, byteCount)
        if offset < windowStart || end > windowStart + window.count {
            let ahead = isAmongLarge ? 4096 : 1 << 18
            do throws(SystemError) {
                window = try file.read(min(max(count, ahead), byteCount - offset), at: offset)
            } catch {
                throw Damage(reason: "cannot be read at byte \(offset): \(error.clause)")
            }
            windowStart = offset
        }
        let start = min(offset - windowStart, window.count)
        return Array(window[start..<min(start + (end - offset), window.count)])
    }
}
