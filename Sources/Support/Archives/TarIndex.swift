import LibC

/// The files of a tar archive by name: where each lies. One entry takes 24 bytes and its name.
package struct TarIndex: Sendable {
    /// What an entry is.
    package enum Kind: UInt8, Sendable {
        case file
        /// The entries below cannot be read.
        case sparse, other, leadsOut, nameIsTooLong
        /// Links that cannot be followed: out of the archive, to what it does not hold, in a circle.
        case linkOut, linkNowhere, linkCircle
        /// Only while an index is made: links that are not followed yet, and what is left out.
        case link, leftOut

        /// Why it cannot be read, as a clause; nil where it can.
        package var reason: String? {
            switch self {
            case .file, .link, .leftOut: nil
            case .sparse: "it is a sparse member of the archive; make the archive without --sparse"
            case .other: "it is a member of a kind that is not read; make the archive with the system's tar"
            case .leadsOut: "its name leads out of the archive; expected a name without `..`"
            case .nameIsTooLong: "its name has more than \(TarIndex.nameLimit) bytes"
            case .linkOut: "it is a link that leads out of the archive; make the archive with --dereference"
            case .linkNowhere:
                "it is a link to a file that the archive does not hold; make it with --hard-dereference "
                    + "or --dereference"
            case .linkCircle: "it is a link that leads to itself"
            }
        }
    }

    /// One file; stored as it is in memory.
    struct Entry: BitwiseCopyable {
        /// Where its data begin, and their size.
        var offset: UInt64
        var size: UInt64
        /// Where its name is among the names.
        var nameStart: UInt32
        var nameLength: UInt16
        var kind: UInt8
        /// Whether its name or its content is wanted.
        var isWanted: UInt8
    }

    /// No file system allows longer names.
    static let nameLimit = 4096

    /// Sorted by name; names are unique.
    let entries: [Entry]
    /// The names, as text of the package (see `Files+Names`), without `./` and slashes that say nothing.
    let names: [UInt8]

    init(entries: [Entry], names: [UInt8]) {
        self.entries = entries
        self.names = names
    }

    /// The number of files.
    package var count: Int { entries.count }

    /// The name of a file.
    package func name(_ index: Int) -> String { String(decoding: bytes(index), as: UTF8.self) }

    /// What a file is.
    package func kind(_ index: Int) -> Kind { Kind(rawValue: entries[index].kind) ?? .other }

    /// The size of a file in bytes.
    package func size(_ index: Int) -> Int { Int(entries[index].size) }

    /// Whether a file was wanted when the index was made.
    package func isWanted(_ index: Int) -> Bool { entries[index].isWanted != 0 }

    /// The file of some name; nil where there is none.
    package func index(of name: String) -> Int? {
        let name = Array(name.utf8)
        let index = firstIndex(from: name)
        return index < count && bytes(index).elementsEqual(name) ? index : nil
    }

    /// The files in a folder and in those below it; "" is the top.
    package func range(below folder: String) -> Range<Int> {
        guard !folder.isEmpty else { return 0..<count }
        let start = firstIndex(from: Array(folder.utf8) + [UInt8(ascii: "/")])
        // No byte lies between the slash and the next one.
        return start..<max(start, firstIndex(from: Array(folder.utf8) + [UInt8(ascii: "/") + 1]))
    }

    /// The folders in a folder, sorted, and the files that lie in it directly.
    package func content(of folder: String) -> (folders: [String], files: [Int]) {
        var (folders, files): ([String], [Int]) = ([], [])
        let range = range(below: folder)
        let start = folder.isEmpty ? 0 : folder.utf8.count + 1
        var index = range.lowerBound
        while index < range.upperBound {
            let rest = bytes(index).dropFirst(start)
            if let slash = rest.firstIndex(of: UInt8(ascii: "/")) {
                let name = String(decoding: rest[..<slash], as: UTF8.self)
                folders.append(name)
                index = max(index + 1, self.range(below: Files.join(folder, name)).upperBound)
            } else {
                files.append(index)
                index += 1
            }
        }
        return (folders, files)
    }

    func bytes(_ index: Int) -> ArraySlice<UInt8> {
        let start = Int(entries[index].nameStart)
        return names[start..<start + Int(entries[index].nameLength)]
    }

    /// The first file whose name does not come before `name`.
    private func firstIndex(from name: [UInt8]) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if precedes(bytes(middle), name[...]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Whether a name comes first in the order of the bytes.
func precedes(_ one: ArraySlice<UInt8>, _ other: ArraySlice<UInt8>) -> Bool {
    let order = unsafe one.withUnsafeBytes { one in
        unsafe other.withUnsafeBytes { other -> Int32 in
            guard let first = one.baseAddress, let second = other.baseAddress else { return 0 }
            return unsafe memcmp(first, second, min(one.count, other.count))
        }
    }
    return order == 0 ? one.count < other.count : order < 0
}
