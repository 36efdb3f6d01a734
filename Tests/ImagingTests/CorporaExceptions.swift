/// Where this project and Pillow part, and why.
enum CorporaExceptions {
    enum Reason: Equatable {
        /// Pillow does not check the checksums of PNG's image data. Here a wrong checksum is an error.
        case checksum
        /// Pillow stops reading when it has all rows. Here a chunk that is cut off is an error.
        case truncated
        /// libjpeg warns that it made pixels up; Pillow takes no notice. Here that is an error.
        case corrupt
        /// Pillow's libjpeg-turbo 3 decodes lossless JPEG of 8 bits; the version 2 of most systems does not.
        case lossless
        /// Pillow refuses what does not touch the pixels: an empty cHRM, an APNG's frames out of order; and one
        /// file of a fuzzer that libjpeg-turbo 3 refuses, and version 2 reads without a warning.
        case readHereAlone
        /// Asked for an alpha channel, Pillow compares the transparent grey of 2, 4 or 16 bits with samples that it has
        /// scaled to 8. Here the file's own samples are compared, as PNG has it. RGB is the same.
        case transparency

        var isRefusal: Bool { self != .readHereAlone && self != .transparency }
    }

    static func reason(for path: String) -> Reason? {
        reasons.first { path.hasSuffix($0.suffix) }?.reason ?? (isScaledTransparency(path) ? .transparency : nil)
    }

    private static let reasons: [(suffix: String, reason: Reason)] = [
        ("pngsuite/png/xcsn0g01.png", .checksum),
        ("crashers/badcrc.png", .checksum),
        ("crashers/huge_IDAT.png", .truncated),
        ("crashers/empty_ancillary_chunks.png", .readHereAlone),
        ("apng/chunk_no_fctl.png", .readHereAlone),
        ("imagetestsuite/8a9cc8eeed66aeb423a91c44111d9450.jpg", .readHereAlone),
        ("lossless/1/jpeg_lossless_sel1-8bit.jpg", .lossless),
        ("reftest/images/partial_progressive.jpg", .corrupt),
        ("crashtest/images/dc-predictor-overflow.jpg", .corrupt),
        ("crashtest/images/subtract-with-overflow.jpg", .corrupt),
        ("imagetestsuite/1cbb1bb37d62c44f67374cd451643dc4.jpg", .corrupt),
        ("imagetestsuite/5482a54657765056f1a94116a8dbffe7.jpg", .corrupt),
        ("imagetestsuite/7997b6b229f25315d33f5c7085e37500.jpg", .corrupt),
        ("imagetestsuite/8e5e74dbf9b68a322fbb9512db837329.jpg", .corrupt),
        ("imagetestsuite/b55977028a3a574336966b6536640fc9.jpg", .corrupt),
        ("imagetestsuite/f6b4389c3cf0f5997b2e5a4b905aea8d.jpg", .corrupt),
        ("pillow/Tests/images/hopper_bad_exif.jpg", .corrupt),
    ]

    private static func isScaledTransparency(_ path: String) -> Bool {
        let names = ["tbbn0g04.png", "tbwn0g16.png", "pillow/Tests/images/i_trns.png"]
        let isGrey = path.contains("testpngs/gray-2") || path.contains("testpngs/gray-4")
        return names.contains { path.hasSuffix($0) } || (isGrey && path.hasSuffix("tRNS.png"))
    }
}
