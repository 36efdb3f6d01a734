import Datasets
import Models
import Support

/// The groups of near-duplicates as a self-contained HTML page, to look at before anything is deleted.
///
/// Images are marked to keep or to remove; the paths of those to remove can be saved as a list.
package struct DuplicatesPage {
    private let title: String
    private let duplicates: Duplicates
    private let paths: [Int: String]
    private let search: EmbeddingSearch

    /// - Parameters:
    ///   - title: of the page.
    ///   - paths: the images' paths by row, if known.
    ///   - search: where the duplicates were found.
    package init(title: String, _ duplicates: Duplicates, paths: [Int: String], in search: EmbeddingSearch) {
        self.title = title
        self.duplicates = duplicates
        self.paths = paths
        self.search = search
    }

    /// The page.
    package func html() throws -> String {
        let rows = duplicates.groups.flatMap(\.rows).filter { paths[$0] != nil }
        let thumbnails = try Gallery.thumbnails(of: rows.map { paths[$0] }, in: search)
        let images = Dictionary(uniqueKeysWithValues: zip(rows, thumbnails))
        let groups = duplicates.groups.map { group in
            let figures = zip(group.rows, group.similarities).map { row, similarity in
                Gallery.figure(
                    paths[row] ?? "row \(row)", image: images[row] ?? "",
                    note: "similarity \(fixed(Double(similarity), 4))", style: row == group.kept ? "" : "marked")
            }
            return "<section>\(figures.joined())</section>\n"
        }
        return htmlPage(
            title: title, style: Gallery.style + Self.style,
            body: """
                <header><h1>\(escaped(title))</h1>
                <p>\(duplicates.groups.count) groups; <b id="count">\(duplicates.spareCount)</b> images are marked to be \
                removed. Click an image to change its mark. \
                <button id="save">Save the list of marked paths</button></p></header>
                \(groups.joined())<script>\(PathList.script)\(Self.script)</script>
                """)
    }

    private static let style = """

        figure { cursor: pointer; border-color: #2a7; }
        figcaption::before { content: "keep"; font-weight: 600; color: #175; display: block; }
        .marked { border-color: #c63; } .marked img { opacity: 0.55; }
        .marked figcaption::before { content: "remove"; color: #a41; }
        """

    private static let script = #"""
        'use strict';
        const figures = [...document.querySelectorAll('figure')], count = document.getElementById('count');
        function change(figure) {
          figure.classList.toggle('marked');
          count.textContent = document.querySelectorAll('.marked').length;
        }
        for (const figure of figures) {
          figure.tabIndex = 0;
          figure.addEventListener('click', () => change(figure));
          figure.addEventListener('keydown', event => { if (event.key === 'Enter') change(figure); });
        }
        document.getElementById('save').addEventListener('click', () => {
          const paths = figures.filter(figure => figure.classList.contains('marked')).map(figure => figure.dataset.path);
          savePaths(paths, 'duplicates.list0', '\0');
        });
        """#
}
