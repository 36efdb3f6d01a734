import CImageCodecs
import Support

/// The bytes that `packed`, a raw deflate stream in base 64, holds; empty where they are not `byteCount`.
func unpackTable(_ packed: String, byteCount: Int) -> [UInt8] {
    guard let stream = decodeBase64(packed) else { return [] }
    let content = Bytes(Memory(byteCount: byteCount))
    let isWhole = unsafe stream.withUnsafeBufferPointer { stream in
        guard let start = stream.baseAddress else { return false }
        return unsafe codecs_inflate(
            start, stream.count, content.address.assumingMemoryBound(to: UInt8.self), byteCount) == 1
    }
    return isWhole ? content.array : []
}
