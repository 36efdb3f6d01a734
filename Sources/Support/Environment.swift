import LibC

/// The variables of the environment.
package enum Environment {
    /// The value of a variable; nil where it is not set. Bytes that are no UTF-8 are written as in names of files.
    package static func value(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe Files.text(ofName: value)
    }

    /// The home directory of the user; nil where nothing says it.
    ///
    /// - Parameter variable: gives a variable of the environment.
    package static func home(_ variable: (String) -> String? = value) -> String? {
        if let home = variable("HOME"), !home.isEmpty { return home }
        guard let entry = unsafe getpwuid(getuid()), let directory = unsafe entry.pointee.pw_dir else { return nil }
        return unsafe Files.text(ofName: directory)
    }
}
