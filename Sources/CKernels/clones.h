// A function marked CLONED is compiled for several generations of x86-64; the one that fits is picked at run time.
#ifndef VIT_CLONES_H
#define VIT_CLONES_H

#include <stdint.h>  // defines __GLIBC__ where the C library is that one

// Sanitizers cannot start where a function is picked: that happens before they are ready.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define IS_SANITIZED 1
#endif
#endif

#if defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__) && !defined(IS_SANITIZED)
#define CLONED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONED
#endif

// Vectors are passed by address: by value, the calling convention would depend on the processor.
#define INLINED static inline __attribute__((always_inline))

// The loop that follows, of a constant length, is unrolled.
#if defined(__clang__)
#define UNROLLED _Pragma("clang loop unroll(full)")
#else
#define UNROLLED _Pragma("GCC unroll 16")
#endif

#endif
