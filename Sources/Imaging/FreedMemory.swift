import CImageCodecs

/// Keeps memory of pictures that are done with at hand for the next ones, some tens of megabytes in the whole process, rather
/// than giving it back to the system each time. For programs that go through many pictures; does nothing where malloc is not
/// glibc's.
package func keepFreedMemory() { codecs_keep_freed_memory() }
