import ArgumentParser
import Compute
import Imaging

/// What every command takes.
struct SharedOptions: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Tell nothing of the progress.")
    var quiet = false
}

/// What every command that computes takes.
struct ThreadOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Threads at work; results do not depend on it. (default: the cores this process may use)", valueName: "n"))
    var threads: Int?

    func validate() throws {
        if let threads, !(1...Self.most).contains(threads) {
            throw ValidationError("--threads takes a number from 1 to \(Self.most), not \(threads)")
        }
    }

    private static let most = 1024
}

/// What every command that reads pictures takes.
struct ImageOptions: ParsableArguments {
    @Flag(help: "Stop at the first picture that cannot be read.")
    var strict = false

    @Flag(help: "Leave pictures as they are stored, whatever their EXIF orientation says.")
    var ignoreOrientation = false

    @Flag(
        help: """
            Decode a JPEG at a half, a quarter or an eighth of its size where the resize reduces it at least as much: \
            less time and memory, and pixels that differ a little. Damage below what the model sees may go unnoticed.
            """)
    var fastDecode = false

    @Option(help: ArgumentHelp("Refuse pictures with more pixels than this.", valueName: "n"))
    var maxPixels = DecodingOptions().maxPixels

    func validate() throws {
        if maxPixels < 1 { throw ValidationError("--max-pixels takes a number from 1 up, not \(maxPixels)") }
    }

    var decoding: DecodingOptions {
        var options = DecodingOptions()
        options.appliesOrientation = !ignoreOrientation
        options.maxPixels = maxPixels
        options.reducesScale = fastDecode
        return options
    }
}
