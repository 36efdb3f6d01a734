import Support

/// A folder of images as a data set sees it, on disk or in archives. Folders and files in it are named from its top on; "" is
/// the top.
protocol ImageFolder {
    /// What the paths of images are relative to.
    var root: String { get }
    /// Remarks on how it was found, one sentence each.
    var notes: [String] { get }
    /// The names of the folders in a folder, sorted bytewise, without hidden ones.
    func subfolders(of folder: String) throws(InputError) -> [String]
    /// The images in a folder and those below it, sorted by path.
    func images(below folder: String) -> FoundImages
    /// The content of a table in a folder; nil where there is none.
    func table(_ name: String, in folder: String) throws(InputError) -> [UInt8]?
    /// The labels that lie beside the images in a folder and those below it; nil where they have none.
    func labels(below folder: String) throws(InputError) -> [LabeledImage]?
}

/// The images below a folder.
struct FoundImages {
    /// Relative to the root, so that a set can be moved.
    var paths: [String] = []
    /// What could not be looked at.
    var failures: [InputError] = []
}

/// An image whose label lies beside it.
struct LabeledImage {
    /// Relative to the root.
    let path: String
    let label: String
}

extension ImageFolder {
    var notes: [String] { [] }

    func labels(below folder: String) throws(InputError) -> [LabeledImage]? { nil }

    /// A folder in it as messages name it.
    func place(_ folder: String) -> String { folder.isEmpty ? root : Files.join(root, folder) }
}

/// A folder on disk.
struct DiskFolder: ImageFolder {
    let root: String

    func subfolders(of folder: String) throws(InputError) -> [String] {
        let folder = place(folder)
        let entries: [Files.Entry]
        do throws(SystemError) {
            entries = try Files.entries(of: folder)
        } catch {
            throw InputError(error, opening: folder, expected: "a folder of images")
        }
        var names: [String] = []
        for entry in entries {
            switch entry.kind {
            case .directory: names.append(entry.name)
            case .link, .unknown:
                let path = Files.join(folder, entry.name)
                do throws(FileError) {
                    if try Files.kind(of: path) == .directory { names.append(entry.name) }
                } catch {
                    throw InputError(error)
                }
            case .file, .other: break
            }
        }
        return names.sorted { $0.precedesBytewise($1) }
    }

    func images(below folder: String) -> FoundImages {
        let walk = ImageSignature.walk(place(folder))
        let prefix = Files.join(root, "").utf8.count
        return FoundImages(
            paths: walk.files.map { String(decoding: $0.utf8.dropFirst(prefix), as: UTF8.self) },
            failures: walk.failures.map { InputError($0) })
    }

    func table(_ name: String, in folder: String) throws(InputError) -> [UInt8]? {
        let table = Files.join(place(folder), name)
        do throws(SystemError) {
            return try Files.status(table).isRegularFile ? try Files.bytes(of: table) : nil
        } catch {
            if error.isMissing { return nil }
            throw InputError(error, opening: table, expected: "a CSV table")
        }
    }
}
