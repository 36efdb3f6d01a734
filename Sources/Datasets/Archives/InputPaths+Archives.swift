import Support

extension InputPaths {
    /// Appends the images of the archive in a file; false where it is none, or cannot be read. Files that are called images
    /// are taken for such.
    mutating func appendArchive(_ path: String) -> Bool {
        guard !ImageSignature.isImageName(path),
            let head = try? InputFile(path).read(upTo: ArchiveFormat.byteCount), let format = ArchiveFormat(head)
        else { return false }
        switch format {
        case .other(let name): inputs.append(.failure(.compressed(path, format: name)))
        case .tar:
            do throws(SystemError) {
                guard let archive = try archives.archive(at: path) else { return false }
                append(archive, folder: "")
            } catch {
                inputs.append(.failure(InputError(error, opening: path, expected: "a tar archive")))
            }
        }
        return true
    }

    /// Appends the images of all archives below a directory; false where there are none.
    mutating func appendArchives(below directory: String) -> Bool {
        let walk = ImageSignature.walkForArchives(directory)
        for path in walk.files { _ = appendArchive(path) }
        inputs += walk.failures.map { .failure(InputError($0)) }
        return !walk.files.isEmpty
    }

    /// Appends what a path in an archive stands for: a file, or the images in a folder; false where it leads through no
    /// archive.
    mutating func appendMembers(_ path: String) -> Bool {
        guard let (archive, name) = archives.find(path) else { return false }
        if let index = archive.index.index(of: name) {
            append(ArchiveMember(archive: archive, index: index))
        } else if name.isEmpty || !archive.index.range(below: name).isEmpty {
            append(archive, folder: name)
        } else {
            let text = "\(path): \(archive.path) holds no such file or folder"
            inputs.append(.failure(InputError(kind: .noSuchInput, path: path, description: text)))
        }
        return true
    }

    private mutating func append(_ archive: TarArchive, folder: String) {
        let before = inputs.count
        for index in archive.index.range(below: folder) where archive.index.isWanted(index) {
            append(ArchiveMember(archive: archive, index: index))
        }
        if let damage = archive.damage {
            inputs.append(.failure(InputError(damage)))
        } else if inputs.count == before {
            let path = Files.join(archive.path, folder)
            let text = "\(path): holds no images; expected PNG or JPEG files in the archive"
            inputs.append(.failure(InputError(kind: .noImages, path: archive.path, description: text)))
        }
    }

    private mutating func append(_ member: ArchiveMember) {
        inputs.append(InputError(member).map { .failure($0) } ?? .member(member))
    }
}
