import Hub
import Testing

/// Names of models, addresses and headers: what is read, and what is refused.
struct NameTests {
    @Test(arguments: [
        ("google/vit-base-patch16-224", "google/vit-base-patch16-224", "main"),
        ("timm/vit_small_patch16_224.augreg_in21k@v1.0", "timm/vit_small_patch16_224.augreg_in21k", "v1.0"),
        ("hf:gpt2", "gpt2", "main"), ("hf-hub:timm/x@refs/pr/1", "timm/x", "refs/pr/1"), ("hf:a/b", "a/b", "main"),
    ])
    func namesAreRead(text: String, repository: String, revision: String) throws {
        let reference = try #require(try HubReference(text))
        #expect(reference.repository == repository && reference.revision == revision)
    }

    @Test(arguments: [
        "gpt2", "", ".", "a/b/c", "./a", "a/..", "../a", "/a", "a/", "a//b", "-a/b", "a/b.git", "a\\b/c", "a/model.bin",
        "runs/x.safetensors", "a/b-", "a/é", "a b/c",
    ])
    func otherTextIsNoName(text: String) throws {
        #expect(try HubReference(text) == nil)
        #expect(
            text.isEmpty || text == "gpt2" || text.hasSuffix(".bin") || text.hasSuffix(".safetensors")
                || isRefused("hf:\(text)"))
    }

    @Test(arguments: [
        "a/b@", "a/b@..", "a/b@x/../y", "a/b@/x", "a/b@x//y", "a/b@-x", "a/b@x y", "a/b@x.lock", "a/b@x@y",
    ])
    func malformedRevisionsAreRefused(text: String) {
        #expect(isRefused(text))
    }

    private func isRefused(_ text: String) -> Bool {
        do throws(HubError) {
            return try HubReference(text) == nil && false
        } catch {
            return error.kind == .usage
        }
    }

    @Test func addressesAreRead() throws {
        let hub = try #require(WebAddress("https://HuggingFace.co:443"))
        #expect(hub.origin == WebAddress.hub.origin && hub.description == "https://huggingface.co")
        #expect(
            hub.appending(["a", "resolve", "refs/pr/1", "é"]).description
                == "https://huggingface.co/a/resolve/refs%2Fpr%2F1/%C3%A9")
        #expect(hub.following("/x?y=1#z")?.description == "https://huggingface.co/x?y=1")
        #expect(hub.following("//other/x")?.description == "https://other/x")
        #expect(hub.following("http://[::1]:81/x")?.origin.port == 81)
        let other = try #require(WebAddress("http://localhost?x"))
        #expect(other.description == "http://localhost/?x" && !other.isPlain)
    }

    @Test(arguments: [
        "", "huggingface.co", "ftp://a/b", "https://", "https:///x", "https://a:b@c/", "https://a:0/",
        "https://a:65536/",
        "https://a:/x", "https://a\"b/", "https://a/\n", "https://a\\@b/", "https://a/é", "file:///etc/passwd",
        "https://" + String(repeating: "a", count: 9000),
    ])
    func otherTextIsNoAddress(text: String) { #expect(WebAddress(text) == nil) }

    @Test func encryptionIsNeverLeft() throws {
        let (secure, plain) = (try #require(WebAddress("https://a")), try #require(WebAddress("http://a")))
        #expect(secure.mayLead(to: secure) && plain.mayLead(to: secure) && plain.mayLead(to: plain))
        #expect(!secure.mayLead(to: plain))
        // Another port or scheme is another server, which gets no token.
        #expect(secure.origin != plain.origin && secure.origin != WebAddress("https://a:444")?.origin)
    }

    @Test func headsAreReadFromPieces() throws {
        let text =
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/2 206 \r\nContent-Range: bytes 5-9/10\r\nETAG:  \"x\" \r\nN: 12x\r\n\r\nbody"
        var bytes: [UInt8] = []
        var head: ResponseHead?
        for byte in text.utf8 where head == nil {
            bytes.append(byte)
            head = try ResponseHead.take(from: &bytes)
        }
        #expect(head?.status == 206 && bytes.isEmpty)
        #expect(head?["etag"] == "\"x\"" && head?.count("n") == nil && head?["Missing"] == nil)
        #expect(head?.contentRange?.start == 5 && head?.contentRange?.total == 10)
    }

    @Test(arguments: [
        "HTTP/1.1\r\n\r\n", "FTP 200\r\n\r\n", "HTTP/1.1 2000 x\r\n\r\n", "HTTP/1.1 abc x\r\n\r\n", "\n\n",
    ])
    func otherHeadsAreRefused(text: String) {
        var bytes = Array(text.utf8)
        #expect(throws: ResponseHead.Malformed.self) { try ResponseHead.take(from: &bytes) }
    }

    @Test func endlessHeadsAreRefused() {
        var bytes = Array("HTTP/1.1 200 OK\r\n".utf8) + [UInt8](repeating: 0x61, count: ResponseHead.largest)
        #expect(throws: ResponseHead.Malformed.self) { try ResponseHead.take(from: &bytes) }
    }
}
