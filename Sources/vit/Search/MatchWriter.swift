import Datasets
import Models
import Support
import SwiftViT

/// Formats matches and groups of duplicates.
struct MatchWriter {
    let format: SearchFormat
    /// The images' paths by row, if known.
    let paths: [Int: String]

    /// The header of a list of matches.
    var head: String { format == .csv ? "query,rank,row,path,similarity\n" : "" }

    /// The matches of one query.
    func text(query: String, _ matches: [Match]) -> String {
        switch format {
        case .text:
            let lines = matches.map { "  \(fourDigits($0.similarity))  \(name(of: $0.row))\n" }
            return "\(printable(query))\n\(lines.joined())"
        case .jsonl:
            let list = matches.map { match in
                JSON.object(members(of: match.row) + [JSON.Member("similarity", .decimal(match.similarity))])
            }
            let object = JSON.object([JSON.Member("query", .string(query)), JSON.Member("matches", .array(list))])
            return object.text(compact: true) + "\n"
        case .csv:
            return matches.enumerated().map { rank, match in
                "\(CSVField.text(query)),\(rank + 1),\(match.row),\(field(match.row)),\(match.similarity)\n"
            }.joined()
        }
    }

    /// The header of a list of groups.
    var groupHead: String { format == .csv ? "group,row,path,similarity,keep\n" : "" }

    /// One group; `number` counts from 1.
    func text(group: DuplicateGroup, number: Int) -> String {
        let members = Array(zip(group.rows, group.similarities))
        switch format {
        case .text:
            let lines = members.map { row, similarity in
                "  \(row == group.kept ? "keep" : "    ")  \(fourDigits(similarity))  \(name(of: row))\n"
            }
            return "Group \(number): \(group.rows.count) images\n\(lines.joined())"
        case .jsonl:
            let list = members.map { row, similarity in
                JSON.object(self.members(of: row) + [JSON.Member("similarity", .decimal(similarity))])
            }
            let object = JSON.object([
                JSON.Member("size", .integer(group.rows.count)), JSON.Member("keep", .integer(group.kept)),
                JSON.Member("members", .array(list)),
            ])
            return object.text(compact: true) + "\n"
        case .csv:
            return members.map { row, similarity in
                "\(number),\(row),\(field(row)),\(similarity),\(row == group.kept)\n"
            }.joined()
        }
    }

    private func name(of row: Int) -> String { paths[row].map { "\(printable($0))  (row \(row))" } ?? "row \(row)" }

    private func field(_ row: Int) -> String { paths[row].map(CSVField.text) ?? "" }

    private func members(of row: Int) -> [JSON.Member] {
        [JSON.Member("row", .integer(row)), JSON.Member("path", paths[row].map { .string($0) } ?? .null)]
    }

    private func fourDigits(_ similarity: Float) -> String {
        let text = Reconstruction.fourDigits(Double(similarity.magnitude))
        return similarity < 0 ? "-\(text)" : " \(text)"
    }
}
