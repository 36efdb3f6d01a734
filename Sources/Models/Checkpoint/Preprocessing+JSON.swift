import Imaging
import Support

extension Preprocessing {
    /// The recipe, for programs.
    package var json: JSON {
        .object([
            JSON.Member("resize", resize.json), JSON.Member("interpolation", .string(interpolation.rawValue)),
            JSON.Member("crop", crop.map { Size(height: $0.height, width: $0.width).json } ?? .null),
            JSON.Member("rescale_factor", .number(rescaleFactor)),
            JSON.Member("mean", .array(mean.map { .number($0) })), JSON.Member("std", .array(std.map { .number($0) })),
        ])
    }
}

extension Preprocessing.Resize {
    fileprivate var json: JSON {
        func sides(_ kind: String, _ width: Int, _ height: Int) -> JSON {
            .object([JSON.Member(kind, Size(height: height, width: width).json)])
        }
        return switch self {
        case .none: .null
        case .shortestEdge(let edge): .object([JSON.Member("shortest_edge", .integer(edge))])
        case .cover(let width, let height): sides("cover", width, height)
        case .exact(let width, let height): sides("exact", width, height)
        }
    }
}

extension Size {
    /// Height and width.
    package var json: JSON { .array([.integer(height), .integer(width)]) }
}
