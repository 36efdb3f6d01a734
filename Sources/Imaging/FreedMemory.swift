import CImageCodecs

/// Keeps the freed memory of images for the next ones, some tens of megabytes per process, rather than returning it to the
/// system each time. For programs that process many images; no effect unless malloc is glibc's.
package func keepFreedMemory() { codecs_keep_freed_memory() }
