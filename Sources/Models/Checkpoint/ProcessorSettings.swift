import Imaging
import Support

/// A preprocessing as `preprocessor_config.json` of transformers.
struct ProcessorSettings {
    let json: JSON
    /// What transformers cannot do, a sentence each.
    let notes: [String]

    init(_ preprocessing: Preprocessing, channels: Int) {
        var notes: [String] = []
        var members: [JSON.Member] = []
        let name: String
        switch preprocessing.resize {
        case .none:
            name = preprocessing.crop == nil ? "ViTImageProcessor" : "DeiTImageProcessor"
            members.append(JSON.Member("do_resize", .bool(false)))
        case .exact(let width, let height):
            name = preprocessing.crop == nil ? "ViTImageProcessor" : "DeiTImageProcessor"
            members.append(JSON.Member("size", JSON.size(width: width, height: height)))
        case .shortestEdge(let edge):
            // The ViT and DeiT processors of version 4 know no shortest edge.
            name = "BitImageProcessor"
            members.append(JSON.Member("size", .object([JSON.Member("shortest_edge", .integer(edge))])))
        case .cover(let width, let height):
            name = "DeiTImageProcessor"
            members.append(JSON.Member("size", JSON.size(width: width, height: height)))
            notes.append(
                "transformers has no way to cover \(width) × \(height) pixels in the image's own proportions; "
                    + "the file says to squash it.")
        }
        members.append(JSON.Member("do_center_crop", .bool(preprocessing.crop != nil)))
        if let crop = preprocessing.crop {
            members.append(JSON.Member("crop_size", JSON.size(width: crop.width, height: crop.height)))
            if preprocessing.cropRounding == .halfToEven,
                preprocessing.resize != .exact(width: crop.width, height: crop.height)
            {
                notes.append(
                    "Where the margin of the centre crop is odd, transformers may cut it one pixel further left or up.")
            }
        }
        // Pillow's numbers.
        let filters: [Interpolation] = [.nearest, .lanczos, .bilinear, .bicubic, .box, .hamming]
        members += [
            JSON.Member("resample", .integer(filters.firstIndex(of: preprocessing.interpolation) ?? 3)),
            JSON.Member("do_rescale", .bool(true)),
            JSON.Member("rescale_factor", .number(preprocessing.rescaleFactor)),
            JSON.Member("do_normalize", .bool(true)),
            JSON.Member("image_mean", JSON.channels(preprocessing.mean, channels)),
            JSON.Member("image_std", JSON.channels(preprocessing.std, channels)),
        ]
        // transformers' processors make RGB of every image otherwise.
        if channels != 3 { members.append(JSON.Member("do_convert_rgb", .bool(false))) }
        json = .object([JSON.Member("image_processor_type", .string(name))] + members)
        self.notes = notes
    }
}
