import Support

/// Queries and their matches as a self-contained HTML page.
package struct SearchPage {
    /// A query as the page shows it.
    package struct Query {
        package let name: String
        /// Its image; nil if there is none.
        package let file: String?
        package let matches: [Match]

        package init(name: String, file: String?, matches: [Match]) {
            (self.name, self.file, self.matches) = (name, file, matches)
        }
    }

    private let title: String
    private let queries: [Query]
    private let paths: [Int: String]
    private let search: EmbeddingSearch

    /// - Parameter paths: of the matches by row, if known.
    package init(title: String, _ queries: [Query], paths: [Int: String], in search: EmbeddingSearch) {
        (self.title, self.queries, self.paths, self.search) = (title, queries, paths, search)
    }

    /// The page.
    package func html() throws -> String {
        let files = queries.flatMap { query in [query.file] + query.matches.map { paths[$0.row] } }
        var thumbnails = try Gallery.thumbnails(of: files, in: search)[...]
        let sections = queries.map { query in
            // A row's number alone says little.
            let note = query.file == query.name ? "" : escaped(query.file ?? "")
            let head = Gallery.figure(query.name, image: thumbnails.removeFirst(), note: note, style: "query")
            var section = "<section>\(head)<div>"
            for (rank, match) in query.matches.enumerated() {
                section += Gallery.figure(
                    paths[match.row] ?? "row \(match.row)", image: thumbnails.removeFirst(),
                    note: "<b>\(rank + 1)</b> · similarity \(fixed(Double(match.similarity), 4))")
            }
            return section + "</div></section>\n"
        }
        return htmlPage(
            title: title, style: Gallery.style + Self.style,
            body: """
                <header><h1>\(escaped(title))</h1>
                <p>\(queries.count == 1 ? "1 query" : "\(queries.count) queries"), each with its most similar images, by cosine similarity.</p>
                </header>
                \(sections.joined())
                """)
    }

    private static let style = """

        section { flex-wrap: nowrap; align-items: flex-start; } section > div { display: flex; flex-wrap: wrap; gap: 10px; }
        .query { flex: none; border-color: #0072b2; }
        .query figcaption::before { content: "query"; font-weight: 600; color: #0072b2; display: block; }
        """
}
