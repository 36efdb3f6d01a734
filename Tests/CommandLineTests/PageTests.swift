import Foundation
import Testing

/// `vit map`, and `vit inspect --images`.
struct PageTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        for number in 0..<12 {
            try scratch.writeImage("photos/\(number % 2 == 0 ? "even" : "odd")/\(number).png", seed: number)
        }
    }

    private func embed(_ path: String) throws {
        let outcome = try Vit.run(["embed", path, "--model", "hf-vit", "--output", "index.npy"], in: scratch)
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    private func map(_ arguments: String...) throws -> Vit.Outcome {
        try Vit.run(["map", "index.npy", "--output", "map.html"] + arguments, in: scratch)
    }

    /// What the page holds for its script.
    private func data() throws -> [String: Any] {
        let page = String(decoding: try scratch.read("map.html"), as: UTF8.self)
        let start = try #require(page.firstRange(of: "id=\"data\">")).upperBound
        let end = try #require(page[start...].firstRange(of: "</script>")).lowerBound
        let object = try JSONSerialization.jsonObject(with: Data(page[start..<end].utf8))
        return try #require(object as? [String: Any])
    }

    @Test func theMapHoldsPointsFoldersAndImages() throws {
        try embed("photos")
        #expect(try map().status == 0)
        let data = try data()
        #expect((data["points"] as? [Int])?.count == 24)
        #expect(data["groups"] as? [String] == ["even", "odd"])
        #expect(data["group"] as? [Int] == [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
        #expect((data["paths"] as? [String])?.first == "photos/even/0.png")
        #expect(data["colours"] as? [String] == ["#0072B2", "#D55E00"] && (data["shapes"] as? [String])?.count == 2)
        let images = try #require(data["thumbnails"] as? [String])
        #expect(images.allSatisfy { Data(base64Encoded: $0)?.starts(with: [0xFF, 0xD8]) == true })
        let page = String(decoding: try scratch.read("map.html"), as: UTF8.self)
        #expect(!page.contains("http://") && !page.contains("https://"))
        #expect(try map("--threads", "1").status == 0)
        #expect(try String(decoding: scratch.read("map.html"), as: UTF8.self) == page)
    }

    /// What a browser runs: images in the places of points, points that grow, and a selection that is saved.
    @Test func theMapZoomsAndSelects() throws {
        try embed("photos")
        #expect(try map().status == 0)
        let page = String(decoding: try scratch.read("map.html"), as: UTF8.self)
        for part in [
            "context.drawImage(shown", "Math.sqrt(Math.max(scale / fitted", "e.shiftKey", "id=\"lasso\"", "id=\"save\"",
            "savePaths([...selected]", "function savePaths(paths, name, end)",
        ] {
            #expect(page.contains(part), "\(part)")
        }
    }

    @Test func picturesAreLeftOutWhereThereIsNoneOrNoWorkspace() throws {
        try embed("photos")
        try FileManager.default.removeItem(atPath: scratch.path("photos/odd"))
        #expect(try map().status == 0)
        #expect(try (data()["thumbnails"] as? [String])?.map(\.isEmpty) == (0..<12).map { $0 >= 6 })
        #expect(try map("--thumbnail-size", "0").status == 0)
        #expect(try (data()["thumbnails"] as? [String])?.allSatisfy(\.isEmpty) == true)
    }

    @Test func thumbnailsAreFoundFromAnotherDirectory() throws {
        try embed("photos")
        let outcome = try Vit.run(
            ["map", scratch.path("index.npy"), "--output", scratch.path("map.html")], in: Scratch())
        #expect(outcome.status == 0 && !outcome.errors.contains("thumbnail"), "\(outcome.errors)")
        #expect(try (data()["thumbnails"] as? [String])?.contains("") == false)
        try FileManager.default.removeItem(atPath: scratch.path("photos/odd"))
        #expect(try map().errors.contains("6 images cannot be read and have no thumbnail, such as photos/odd/1.png"))
    }

    @Test func namesCannotEndTheScript() throws {
        try scratch.writeImage("odd/<script>alert(1)<b>.png")
        try embed("odd")
        #expect(try map().status == 0)
        #expect(try (data()["paths"] as? [String]) == ["odd/<script>alert(1)<b>.png"])
        #expect(!String(decoding: try scratch.read("map.html"), as: UTF8.self).contains("<script>alert"))
    }

    @Test func mapFailures() throws {
        try embed("photos")
        #expect(try Vit.run(["map", "missing.npy", "--output", "map.html"], in: scratch).status == 66)
        #expect(try Vit.run(["map", "index.npy", "--output", "nowhere/map.html"], in: scratch).status == 73)
        #expect(try Vit.run(["map", "index.npy"], in: scratch).status == 64)
        #expect(try map("--thumbnail-size", "2000").status == 64)
        try scratch.write("nonsense", to: "bad.png")
        let none = try Vit.run(
            ["embed", "bad.png", "bad.png", "--model", "hf-vit", "--output", "index.npy"], in: scratch)
        #expect(none.status == 1)
        let empty = try map()
        #expect(empty.status == 65 && empty.errors.contains("no rows"), "\(empty.errors)")
        #expect(!(try scratch.names.contains("map.html")))
    }

    private func inspect(_ arguments: String...) throws -> Vit.Outcome {
        try Vit.run(["inspect", "hf-vit"] + arguments, in: scratch)
    }

    @Test func thePageOfTheLayers() throws {
        let outcome = try inspect("--images", "photos", "--output", "layers.html", "--format", "json")
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
        #expect(object["pictures"] as? Int == 12 && object["layout"] != nil)
        #expect((object["mean_attention_distance"] as? [[Double]])?.map(\.count) == [2, 2])
        #expect((object["cka"] as? [Double])?.count == 4)
        let page = String(decoding: try scratch.read("layers.html"), as: UTF8.self)
        #expect(page.contains("over 12 images") && page.contains("<circle") && page.contains("<rect"))
        #expect(page.contains("fill=\"url(#scale)\"") && page.contains(">layer</text>"))
        #expect(!page.contains("http"))
        let text = try inspect("--images", "photos", "--output", "layers.html", "--threads", "1")
        #expect(text.output.isEmpty)
        #expect(try String(decoding: scratch.read("layers.html"), as: UTF8.self) == page)
    }

    @Test func inspectFailures() throws {
        #expect(try inspect("--images", "photos").status == 64)
        #expect(try inspect("--output", "layers.html").status == 64)
        #expect(try inspect("--images", "missing", "--output", "layers.html").status == 66)
        #expect(try inspect("--images", "photos", "--output", "nowhere/layers.html").status == 73)
        try scratch.write("nonsense", to: "photos/odd/bad.png")
        #expect(try inspect("--images", "photos", "--output", "layers.html").status == 1)
    }
}
