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
    private let threads: Int

    /// The longer side of a thumbnail, in pixels, and the maximum total size of all in bytes.
    private static let (thumbnailSide, thumbnailBytes) = (160, 64 << 20)

    /// - Parameters:
    ///   - title: of the page.
    ///   - paths: the images' paths by row, if known.
    package init(title: String, _ duplicates: Duplicates, paths: [Int: String], threads: Int) {
        self.title = title
        self.duplicates = duplicates
        self.paths = paths
        self.threads = threads
    }

    /// The page.
    package func html() throws -> String {
        let rows = duplicates.groups.flatMap(\.rows).filter { paths[$0] != nil }
        let thumbnails = try Thumbnails(side: Self.thumbnailSide, byteCount: Self.thumbnailBytes, threads: threads)
            .texts(of: rows.compactMap { paths[$0] })
        let images = Dictionary(uniqueKeysWithValues: zip(rows, thumbnails))
        let groups = duplicates.groups.map { group in
            let figures = zip(group.rows, group.similarities).map { figure($0, of: group, $1, image: images[$0] ?? "") }
            return "<section>\(figures.joined())</section>\n"
        }
        let spare = duplicates.spareCount
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>\(escaped(title))</title>
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <link rel="icon" href="data:,">
            <style>\(Self.style)</style></head><body>
            <header><h1>\(escaped(title))</h1>
            <p>\(duplicates.groups.count) groups; <b id="count">\(spare)</b> images are marked to be removed. Click an image to \
            change its mark. <button id="save">Save the list of marked paths</button></p></header>
            \(groups.joined())<script>\(Self.script)</script></body></html>

            """
    }

    private func figure(_ row: Int, of group: DuplicateGroup, _ similarity: Float, image: String) -> String {
        let name = escaped(paths[row] ?? "row \(row)")
        let thumbnail = image.isEmpty ? "" : "<img src=\"data:image/jpeg;base64,\(image)\" alt=\"\">"
        return """
            <figure\(row == group.kept ? "" : " class=\"marked\"") data-path="\(name)" tabindex="0">\(thumbnail)\
            <figcaption>\(name)<br>similarity \(fixed(Double(similarity), 4))</figcaption></figure>
            """
    }

    private static let style = """
        body { margin: 0; font: 13px/1.45 system-ui, sans-serif; color: #222; background: #fafafa; }
        header { position: sticky; top: 0; padding: 10px 16px; background: #fffffff0; border-bottom: 1px solid #ddd; }
        h1 { font-size: 15px; margin: 0; overflow-wrap: anywhere; } p { margin: 4px 0 0; color: #555; }
        section { display: flex; flex-wrap: wrap; gap: 10px; padding: 14px 16px; border-bottom: 1px solid #e4e4e4; }
        figure { margin: 0; width: 180px; padding: 8px; box-sizing: border-box; border: 2px solid #2a7; border-radius: 6px;
          background: #fff; cursor: pointer; } figure img { display: block; max-width: 160px; margin: auto; }
        figcaption { margin-top: 6px; overflow-wrap: anywhere; color: #555; }
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
          figure.addEventListener('click', () => change(figure));
          figure.addEventListener('keydown', event => { if (event.key === 'Enter') change(figure); });
        }
        document.getElementById('save').addEventListener('click', () => {
          const paths = figures.filter(figure => figure.classList.contains('marked')).map(figure => figure.dataset.path);
          const link = document.createElement('a');
          // Ended by NULs, since a name may hold a line's end: xargs -0 reads it, and so does @list.
          link.href = URL.createObjectURL(new Blob([paths.map(path => path + '\0').join('')]));
          link.download = 'duplicates.list0';
          link.click();
        });
        """#
}
