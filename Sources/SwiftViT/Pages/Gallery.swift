import Datasets
import Support

/// Images with captions, as the pages of a search show them.
enum Gallery {
    /// The longer side of a thumbnail, in pixels, and the maximum total size of all in bytes.
    private static let (thumbnailSide, thumbnailBytes) = (160, 64 << 20)

    /// A thumbnail per image; empty where there is no path, or none that can be read.
    static func thumbnails(of paths: [String?], in search: EmbeddingSearch) throws -> [String] {
        let known = paths.indices.filter { paths[$0] != nil }
        let texts = try Thumbnails(
            side: thumbnailSide, byteCount: thumbnailBytes, threads: search.engine.threadCount
        ).texts(of: known.map { search.collection.input(paths[$0] ?? "") })
        var thumbnails = [String](repeating: "", count: paths.count)
        for (place, text) in zip(known, texts) { thumbnails[place] = text }
        return thumbnails
    }

    /// An image with its name and a note, which is HTML.
    static func figure(_ name: String, image: String, note: String, style: String = "") -> String {
        let name = escaped(name)
        let thumbnail = image.isEmpty ? "" : "<img src=\"data:image/jpeg;base64,\(image)\" alt=\"\">"
        return
            "<figure class=\"\(style)\" data-path=\"\(name)\">\(thumbnail)<figcaption>\(name)<br>\(note)</figcaption>"
            + "</figure>"
    }

    static let style = """
        body { margin: 0; font: 13px/1.45 system-ui, sans-serif; color: #222; background: #fafafa; }
        header { position: sticky; top: 0; padding: 10px 16px; background: #fffffff0; border-bottom: 1px solid #ddd; }
        h1 { font-size: 15px; margin: 0; overflow-wrap: anywhere; } p { margin: 4px 0 0; color: #555; }
        section { display: flex; flex-wrap: wrap; gap: 10px; padding: 14px 16px; border-bottom: 1px solid #e4e4e4; }
        figure { margin: 0; width: 180px; padding: 8px; box-sizing: border-box; border: 2px solid #ddd; border-radius: 6px;
          background: #fff; } figure img { display: block; width: 160px; height: 160px; object-fit: contain; }
        figcaption { margin-top: 6px; overflow-wrap: anywhere; color: #555; }
        """
}

/// A list of paths that a page saves as a file.
enum PathList {
    /// A function for scripts: `savePaths(paths, name, end)`, where `end` follows each path.
    static let script = #"""
        'use strict';
        function savePaths(paths, name, end) {
          // Where a name holds a line's end, NULs end the paths: @list reads both.
          if (paths.some(path => /[\r\n]/.test(path))) end = '\0';
          // Names are bytes again.
          const bytes = path => (path + end).split(/\\x([89A-F][0-9A-F]|5C)/)
            .map((part, index) => index % 2 ? Uint8Array.of(parseInt(part, 16)) : part);
          const link = document.createElement('a');
          link.href = URL.createObjectURL(new Blob(paths.flatMap(bytes)));
          link.download = name;
          link.click();
        }

        """#
}
