import Foundation
import Testing

/// `vit search` and `vit duplicates`.
struct SearchTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        for number in 0..<6 { try scratch.writeImage("photos/\(number).png", seed: number) }
        // The same image twice, the second time in a larger file.
        let copy = try scratch.read("photos/2.png")
        try scratch.write(copy + [UInt8](repeating: 0, count: 50), to: "photos/2b.png")
        let outcome = try Vit.run(
            ["embed", "photos", "--model", "hf-vit", "--output", "index.npy", "--pool", "mean", "--l2"], in: scratch)
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    private func search(_ arguments: String...) throws -> Vit.Outcome {
        try Vit.run(["search", "index.npy"] + arguments, in: scratch)
    }

    /// The model and the pooling are those of the index.
    @Test func byImageAndByRow() throws {
        try FileManager.default.copyItem(atPath: scratch.path("photos/4.png"), toPath: scratch.path("query.png"))
        let outcome = try search("query.png", "2", "--top-k", "3", "--format", "jsonl")
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        let objects = try outcome.objects()
        #expect(objects.map { $0["query"] as? String } == ["query.png", "2"])
        let matches = objects.map { $0["matches"] as? [[String: Any]] ?? [] }
        #expect(matches.map(\.count) == [3, 3])
        #expect(matches[0][0]["path"] as? String == "photos/4.png" && matches[0][0]["row"] as? Int == 5)
        #expect(abs((matches[0][0]["similarity"] as? Double ?? 0) - 1) < 1e-6)
        // The row itself is no answer; the other copy of the image is.
        #expect(matches[1][0]["path"] as? String == "photos/2b.png")
        #expect(!matches[1].contains { $0["row"] as? Int == 2 })
    }

    /// As a row does, however its path is written; a copy elsewhere finds its original.
    @Test func anImageOfTheIndexLeavesItselfOut() throws {
        for query in ["photos/2.png", "photos/../photos/2.png", scratch.path("photos/2.png")] {
            let objects = try search(query, "--top-k", "9", "--format", "jsonl").objects()
            let rows = (objects[0]["matches"] as? [[String: Any]] ?? []).compactMap { $0["row"] as? Int }
            #expect(rows.first == 3 && rows.count == 6 && !rows.contains(2), "\(query): \(rows)")
        }
    }

    @Test func formats() throws {
        let table = try search("0", "--format", "csv", "-k", "2")
        #expect(table.lines[0] == "query,rank,row,path,similarity" && table.lines.count == 3)
        #expect(table.lines[1].hasPrefix("0,1,"))
        let text = try search("0", "5", "-k", "2")
        #expect(text.lines.count == 6 && text.lines[0] == "0" && text.lines[1].contains("photos/"))
    }

    /// An array from elsewhere: no index, no settings.
    @Test func rowsOfAnotherArray() throws {
        let bytes = try scratch.read("index.npy")
        try scratch.write(bytes, to: "bare.npy")
        let outcome = try Vit.run(["search", "bare.npy", "index.npy", "--format", "csv", "-k", "1"], in: scratch)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.lines.count == 8)
        for row in [0, 1, 4, 5, 6] { #expect(outcome.lines[row + 1].hasPrefix("index.npy:\(row),1,\(row),,")) }
        let wide = try Vit.run(
            ["search", "bare.npy", "photos/0.png", "--model", "hf-vit", "--pool", "cls+mean"], in: scratch)
        #expect(wide.status == 64 && wide.errors.contains("rows of 16 numbers"), "\(wide.errors)")
    }

    @Test func anotherModelIsRefused() throws {
        let model = try search("photos/0.png", "--model", "timm-hub", "--image-size", "16")
        #expect(model.status == 64 && model.errorLines.count == 1, "\(model.errors)")
        let pool = try search("photos/0.png", "--pool", "cls")
        #expect(pool.status == 64 && pool.errors.contains("another --pool"), "\(pool.errors)")
    }

    @Test func failures() throws {
        try scratch.write("nonsense", to: "bad.png")
        let several = try search("bad.png", "photos/0.png", "-k", "1")
        #expect(several.status == 1 && several.lines.count == 2 && several.errors.contains("bad.png"))
        #expect(try search("bad.png").status == 65)
        #expect(try search("99").status == 64)
        #expect(try search("missing.png").status == 66)
        #expect(try search("0", "--top-k", "0").status == 64)
        #expect(try Vit.run(["search", "missing.npy", "0"], in: scratch).status == 66)
        #expect(try Vit.run(["search", "photos/0.png", "0"], in: scratch).status == 65)
        try scratch.write("row,path,sha256\n", to: "index.index.csv")
        let unfit = try search("0")
        #expect(unfit.status == 65 && unfit.errors.contains("do not belong together"), "\(unfit.errors)")
    }

    /// Overwrites the first number of a row of index.npy, which has 16 a row.
    private func spoil(_ row: Int, with value: Float) throws {
        var bytes = try scratch.read("index.npy")
        let start = bytes.count - (7 - row) * 16 * 4
        for index in 0..<4 { bytes[start + index] = UInt8(value.bitPattern >> (8 * index) & 0xFF) }
        try scratch.write(bytes, to: "index.npy")
    }

    /// Rows that are not finite are named and left out, as queries too; the others are searched.
    @Test func rowsThatAreNotFinite() throws {
        try spoil(1, with: .nan)
        try spoil(5, with: -.infinity)
        try spoil(6, with: .infinity)
        let named = "index.npy: rows 1, 5–6 are not finite (NaN or infinity) and were left out"
        let found = try search("0", "photos/4.png", "--format", "csv")
        #expect(found.status == 1 && found.errors.contains(named), "\(found.errors)")
        #expect(found.lines.filter { $0.hasPrefix("0,") }.count == 3)
        #expect(found.lines.filter { $0.hasPrefix("photos/4.png,") }.count == 4)
        let query = try search("5", "0", "--format", "csv")
        #expect(query.status == 1 && query.errors.contains("row 5 is not finite"), "\(query.errors)")
        #expect(query.lines.filter { $0.hasPrefix("0,") }.count == 3 && query.lines.count == 4)
        let groups = try Vit.run(["duplicates", "index.npy", "--threshold", "0.9999"], in: scratch)
        #expect(groups.status == 1 && groups.errors.contains(named), "\(groups.errors)")
        #expect(groups.lines.first == "Group 1: 2 images")
        let map = try Vit.run(["map", "index.npy", "--output", "map.html"], in: scratch)
        #expect(map.status == 1 && map.errors.contains(named), "\(map.errors)")
        let page = String(decoding: try scratch.read("map.html"), as: UTF8.self)
        #expect(page.contains("photos/0.png") && !page.contains("photos/1.png") && !page.contains("photos/5.png"))
        for row in 0..<7 { try spoil(row, with: .nan) }
        #expect(try Vit.run(["duplicates", "index.npy"], in: scratch).status == 65)
        #expect(try Vit.run(["map", "index.npy", "--output", "map.html"], in: scratch).status == 65)
        #expect(try search("0").status == 65)
    }

    @Test func duplicates() throws {
        let text = try Vit.run(["duplicates", "index.npy", "--threshold", "0.9999"], in: scratch)
        #expect(text.status == 0, "\(text.errors)")
        #expect(text.lines[0] == "Group 1: 2 images" && text.lines.count == 3)
        #expect(text.lines[2].hasPrefix("  keep") && text.lines[2].contains("photos/2b.png"))
        #expect(text.errors.contains("1 group among 7 images; 1 of them can be removed"))
        let lines = try Vit.run(
            ["duplicates", "index.npy", "--threshold", "0.9999", "--format", "jsonl", "--quiet"], in: scratch)
        let object = try #require(lines.objects().first)
        #expect(object["keep"] as? Int == 3 && object["size"] as? Int == 2 && lines.errors.isEmpty)
        let table = try Vit.run(["duplicates", "index.npy", "--threshold", "0.9999", "--format", "csv"], in: scratch)
        #expect(table.lines.map { $0.split(separator: ",").first } == ["group", "1", "1"])
        #expect(table.lines[2].hasSuffix(",true"))
        #expect(try Vit.run(["duplicates", "index.npy", "--threshold", "1.5"], in: scratch).status == 64)
    }

    /// By default, the pixels of similar images decide; a page shows the groups.
    @Test func copies() throws {
        let found = try Vit.run(["duplicates", "index.npy", "--format", "csv", "--html", "groups.html"], in: scratch)
        #expect(found.status == 0 && found.errors == "1 group among 7 images; 1 of them can be removed\n")
        #expect(found.lines.dropFirst().map { $0.split(separator: ",")[2] } == ["photos/2.png", "photos/2b.png"])
        let page = String(decoding: try scratch.read("groups.html"), as: UTF8.self)
        #expect(page.components(separatedBy: "<figure").count == 3 && page.contains("data:image/jpeg;base64,"))
        #expect(page.contains("<figure class=\"marked\" data-path=\"photos/2.png\""))
        // Another image under the name of the copy: its vector alone would not show that.
        try scratch.writeImage("photos/2b.png", seed: 77)
        let changed = try Vit.run(["duplicates", "index.npy"], in: scratch)
        #expect(changed.status == 0 && changed.errors.contains("0 groups among 7 images"))
        // Where no image can be read, the vectors decide.
        try FileManager.default.removeItem(atPath: scratch.path("photos"))
        let unread = try Vit.run(["duplicates", "index.npy"], in: scratch)
        #expect(unread.status == 0 && unread.errors.contains("7 of the images could not be read"), "\(unread.errors)")
        #expect(unread.errors.contains("with a threshold of 0.9500"))
    }

    /// Queries and matches with their images, wherever the command runs; names are text and nothing else.
    @Test func thePageOfASearch() throws {
        let name = "<script>alert(1)<b>\"'&.png"
        try FileManager.default.copyItem(atPath: scratch.path("photos/4.png"), toPath: scratch.path(name))
        let outcome = try search(name, "2", "--top-k", "3", "--html", "matches.html")
        #expect(outcome.status == 0 && outcome.lines.count == 8, "\(outcome.errors)")
        let page = String(decoding: try scratch.read("matches.html"), as: UTF8.self)
        #expect(
            page.components(separatedBy: "<figure").count == 9 && page.components(separatedBy: "<section").count == 3)
        #expect(page.components(separatedBy: "data:image/jpeg;base64,").count == 9)
        #expect(page.contains("&lt;script&gt;alert(1)&lt;b&gt;&quot;'&amp;.png") && !page.contains("<script"))
        #expect(page.contains("photos/4.png<br><b>1</b> · similarity 1.0000"))
        // A row is shown with its path.
        #expect(page.contains("<figcaption>2<br>photos/2.png</figcaption>") && !page.contains("http"))
        let elsewhere = try Vit.run(
            ["search", scratch.path("index.npy"), "2", "--top-k", "3", "--html", scratch.path("matches.html")],
            in: Scratch())
        #expect(elsewhere.status == 0, "\(elsewhere.errors)")
        let other = String(decoding: try scratch.read("matches.html"), as: UTF8.self)
        #expect(other.components(separatedBy: "data:image/jpeg;base64,").count == 5)
        let groups = try Vit.run(
            ["duplicates", scratch.path("index.npy"), "--html", scratch.path("groups.html")], in: Scratch())
        #expect(groups.status == 0, "\(groups.errors)")
        let copies = String(decoding: try scratch.read("groups.html"), as: UTF8.self)
        #expect(copies.components(separatedBy: "data:image/jpeg;base64,").count == 3)
        #expect(try search("2", "--html", "nowhere/matches.html").status == 73)
    }

    /// Vectors have no image, and an index without paths has rows.
    @Test func thePageOfASearchByVectors() throws {
        try FileManager.default.removeItem(atPath: scratch.path("index.index.csv"))
        #expect(try search("index.npy", "--top-k", "2", "--html", "matches.html").status == 0)
        let page = String(decoding: try scratch.read("matches.html"), as: UTF8.self)
        #expect(page.contains("index.npy:6") && page.contains("row 3<br>") && !page.contains("<img"))
    }

    /// Copies are found by their pixels, however far apart a model places them.
    @Test func copiesWithVectorsFarApart() throws {
        for number in 10..<50 { try scratch.writeImage("photos/\(number).png", seed: number) }
        let embedded = try Vit.run(
            ["embed", "photos", "--model", "hf-vit", "--output", "all.npy", "--pool", "mean"], in: scratch)
        #expect(embedded.status == 0, "\(embedded.errors)")
        let paths = String(decoding: try scratch.read("all.index.csv"), as: UTF8.self).split(separator: "\n")
        let row = try #require(paths.dropFirst().firstIndex { $0.contains("2b.png") }) - 1
        var bytes = try scratch.read("all.npy")
        let width = (bytes.count - 128) / (paths.count - 1)
        for column in 0..<width / 4 { bytes[128 + row * width + 4 * column + 3] ^= 0x80 }
        try scratch.write(bytes, to: "all.npy")
        let found = try Vit.run(["duplicates", "all.npy", "--format", "csv"], in: scratch)
        #expect(found.status == 0 && found.errors.hasPrefix("1 group among 47 images"), "\(found.errors)")
        #expect(found.lines.dropFirst().map { $0.split(separator: ",")[2] } == ["photos/2.png", "photos/2b.png"])
        #expect(try Vit.run(["duplicates", "all.npy", "--threshold", "0.99"], in: scratch).output.isEmpty)
    }

    /// A large part of the set is not deleted without a warning.
    @Test func manyDuplicatesAreWarnedOf() throws {
        for number in 0..<3 { try scratch.write(scratch.read("photos/2.png"), to: "photos/copy\(number).png") }
        let embedded = try Vit.run(
            ["embed", "photos", "--model", "hf-vit", "--output", "more.npy", "--pool", "mean", "--l2"], in: scratch)
        #expect(embedded.status == 0, "\(embedded.errors)")
        let found = try Vit.run(["duplicates", "more.npy"], in: scratch)
        #expect(found.errors.contains("1 group among 10 images; 4 of them can be removed"), "\(found.errors)")
        #expect(found.errors.contains("Warning: that is 40 % of the images; look at the groups first (--html"))
    }
}
