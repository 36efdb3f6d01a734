import LibC

/// What it takes to put a directory in the place of another one.
extension Files {
    /// Swaps what has the one name and what has the other, in the same directory, in one go, and makes it last.
    ///
    /// - Returns: false where that cannot be done, as on file systems that have no such call.
    static func exchange(_ path: String, with otherPath: String) throws(FileError) -> Bool {
        // Headers show it only to those who ask for GNU's extensions, and older C libraries lack it.
        guard let symbol = unsafe dlsym(nil, "renameat2") else { return false }
        let renameat2 = unsafe unsafeBitCast(symbol, to: RenameAt2.self)
        let exchange: UInt32 = 2
        guard unsafe renameat2(AT_FDCWD, systemPath(path), AT_FDCWD, systemPath(otherPath), exchange) == 0 else {
            return false
        }
        try synchronize(nameOf: otherPath)
        return true
    }

    private typealias RenameAt2 =
        @convention(c) (
            Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32
        ) -> Int32

    /// Gives a file a second name; false where it cannot have one, as a directory cannot.
    static func link(_ path: String, as otherPath: String) -> Bool {
        unsafe linkat(AT_FDCWD, systemPath(path), AT_FDCWD, systemPath(otherPath), 0) == 0
    }

    /// Gives a directory the owner and the permissions of another one; false where that is not allowed.
    static func copyPermissions(of path: String, to otherPath: String) -> Bool {
        var (status, own) = (stat(), stat())
        guard unsafe stat(systemPath(path), &status) == 0, unsafe stat(systemPath(otherPath), &own) == 0 else {
            return false
        }
        if status.st_uid != own.st_uid || status.st_gid != own.st_gid {
            guard unsafe chown(systemPath(otherPath), status.st_uid, status.st_gid) == 0 else { return false }
        }
        return unsafe chmod(systemPath(otherPath), status.st_mode & 0o7777) == 0
    }
}
