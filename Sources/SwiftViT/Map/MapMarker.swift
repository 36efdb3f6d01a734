/// How the points of a group of images look on a map: 48 groups are told apart, also by people who see fewer colours.
package struct MapMarker {
    package let color: String
    /// A path of SVG about the origin, of radius 1.
    package let outline: String

    /// The palette of Okabe and Ito, "Color Universal Design" (2008), the strongest against white first.
    private static let colors = [
        "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442",
    ]

    /// Circle, square, triangle, diamond, cross and star, of about the same area.
    private static let outlines = [
        "M1 0A1 1 0 1 1 -1 0A1 1 0 1 1 1 0Z", "M-.88-.88H.88V.88H-.88Z", "M0-1.25L1.2.85H-1.2Z",
        "M0-1.3L1.15 0L0 1.3L-1.15 0Z",
        "M-.45-1.2H.45V-.45H1.2V.45H.45V1.2H-.45V.45H-1.2V-.45H-.45Z",
        "M0-1.4L.4-.5L1.35-.45L.6.2L.85 1.15L0 .6L-.85 1.15L-.6.2L-1.35-.45L-.4-.5Z",
    ]

    /// The marker of the group with that number, from 0 up: first the colours change, then the shapes.
    package init(group: Int) {
        color = Self.colors[group % Self.colors.count]
        outline = Self.outlines[group / Self.colors.count % Self.outlines.count]
    }
}
