import Support

/// What lies between two commits of a journal: rows, and lines about them.
struct JournalBlock {
    var data = SHA256.Sum()
    var lines = SHA256.Sum()

    /// The line of the commit that ends the block.
    func commit(_ position: EmbeddingJournal.Position) -> String {
        let start = "=\(position.inputs) \(position.rows) \(position.bytes) "
        return start + Self.digest(data: data.digest, lines: lines, start: start).hex
    }

    private static func digest(data: SHA256, lines: SHA256.Sum, start: String) -> SHA256 {
        var lines = lines
        lines.add(Array(start.utf8))
        return SHA256(of: data.bytes + lines.digest.bytes)
    }

    /// The end of a block, as it was read.
    struct Commit {
        let position: EmbeddingJournal.Position
        /// Where the journal goes on.
        let length: Int
        private let start: String
        private let lines: SHA256.Sum
        private let digest: SHA256

        /// Nil for a line that is none.
        ///
        /// - Parameters:
        ///   - length: the end of the line in the journal.
        ///   - lines: the lines of the block before it.
        init?(_ line: String, length: Int, lines: SHA256.Sum) {
            let parts = line.dropFirst().split(separator: " ")
            let numbers = parts.prefix(3).compactMap { Int($0) }
            guard parts.count == 4, numbers.count == 3, let digest = SHA256(hex: String(parts[3])) else { return nil }
            position = EmbeddingJournal.Position(inputs: numbers[0], rows: numbers[1], bytes: numbers[2])
            start = String(line.dropLast(parts[3].count))
            (self.length, self.lines, self.digest) = (length, lines, digest)
        }

        /// Whether the commit is that of its lines and of data with this digest.
        func isSound(data: SHA256) -> Bool {
            digest == JournalBlock.digest(data: data, lines: lines, start: start)
        }
    }

    /// How many commits, from the first one on, are those of the lines and the data.
    ///
    /// - Parameter start: where in the file the data of the first one begin.
    static func soundCount(of commits: [Commit], dataFile: String, from start: Int) throws(FileError) -> Int {
        do throws(SystemError) {
            let file = try InputFile(dataFile)
            _ = try file.read(upTo: start)
            var place = start
            for (count, commit) in commits.enumerated() {
                var data = SHA256.Sum()
                while place < commit.position.bytes {
                    let piece = try file.read(upTo: min(pieceSize, commit.position.bytes - place))
                    if piece.isEmpty { return count }
                    data.add(piece)
                    place += piece.count
                }
                if !commit.isSound(data: data.digest) { return count }
            }
            return commits.count
        } catch {
            throw FileError(.inputOutput, dataFile, "cannot be read back", error)
        }
    }

    private static let pieceSize = 1 << 20
}
