/// Height and width, in pixels or in patches.
public struct Size: Sendable, Hashable, Codable {
    /// The number of rows.
    public var height: Int
    /// The number of columns.
    public var width: Int

    /// A size of `height` rows and `width` columns.
    public init(height: Int, width: Int) {
        self.height = height
        self.width = width
    }

    /// A square.
    public init(square side: Int) {
        self.init(height: side, width: side)
    }
}
