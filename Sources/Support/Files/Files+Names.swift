import LibC

/// Names of files are bytes, and nearly always UTF-8; in this package they are strings.
///
/// A byte that is no part of UTF-8 is written `\xHH`, with two capital hexadecimal digits: `caf\xE9.jpg`. A backslash before
/// an `x` and such digits, or before `x5C`, is written `\x5C` itself. All else is written as it is, so that every name has
/// one text of its own, and every text leads to one name.
extension Files {
    /// A name or path of the file system as text.
    package static func text(ofName name: some Sequence<UInt8>) -> String {
        let name = Array(name)
        if !name.contains(backslash), let text = String(validating: name, as: UTF8.self) { return text }
        var text: [UInt8] = []
        var place = 0
        var parser = Unicode.UTF8.ForwardParser()
        var rest = name.makeIterator()
        while true {
            switch parser.parseScalar(from: &rest) {
            case .emptyInput: return String(decoding: text, as: UTF8.self)
            case .valid(let scalar):
                text += escapedByte(in: name, at: place) == nil ? Array(scalar) : escape(backslash)
                place += scalar.count
            case .error(let length):
                text += name[place..<place + length].flatMap(escape)
                place += length
            }
        }
    }

    /// The same of a name that ends in a 0.
    package static func text(ofName name: UnsafePointer<CChar>) -> String {
        unsafe text(ofName: UnsafeRawBufferPointer(start: name, count: strlen(name)))
    }

    /// The bytes of a path, as a call of the system takes them: with a 0 behind them. Every such call goes through here.
    package static func systemPath(_ path: String) -> [CChar] {
        let text = Array(path.utf8)
        var name: [CChar] = []
        name.reserveCapacity(text.count + 1)
        var place = 0
        while place < text.count {
            let byte = escapedByte(in: text, at: place)
            name.append(CChar(bitPattern: byte ?? text[place]))
            place += byte == nil ? 1 : escapeLength
        }
        return name + [0]
    }

    /// The path of a file that a person or another program named: of the file with just that name, or where there is none, of
    /// the one that is written so in what this program prints.
    ///
    /// - Parameter directory: what a relative path is relative to.
    package static func named(_ path: String, in directory: String = "") -> String {
        func place(_ path: String) -> String {
            path.utf8.first == UInt8(ascii: "/") ? path : join(directory, path)
        }
        guard path.utf8.contains(backslash), isMissing(place(path)) else { return path }
        let bytes = systemPath(path).dropLast().map { UInt8(bitPattern: $0) }
        guard let written = String(validating: bytes, as: UTF8.self), !isMissing(place(written)) else { return path }
        return written
    }

    private static let backslash = UInt8(ascii: "\\")
    /// The length of `\xHH`.
    private static let escapeLength = 4

    private static func escape(_ byte: UInt8) -> [UInt8] {
        // All bytes that are escaped have two digits.
        Array("\\x\(String(byte, radix: 16, uppercase: true))".utf8)
    }

    /// The byte that `\xHH` at a place stands for; nil where something else stands there.
    private static func escapedByte(in text: [UInt8], at place: Int) -> UInt8? {
        guard text[place] == backslash, place + escapeLength <= text.count, text[place + 1] == UInt8(ascii: "x") else {
            return nil
        }
        let digits = String(decoding: text[place + 2..<place + escapeLength], as: UTF8.self)
        // Other spellings, such as "+a" or "e9", stand for themselves.
        guard let byte = UInt8(digits, radix: 16), byte >= 0x80 || byte == backslash,
            escape(byte).elementsEqual(text[place..<place + escapeLength])
        else { return nil }
        return byte
    }
}
