// A function marked CLONED is compiled for several generations of x86-64; the one that fits is picked at run time.
#ifndef VIT_CLONES_H
#define VIT_CLONES_H

#include <stdint.h> // lets the C library tell its name

#if defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__)
#define CLONED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONED
#endif

// Vectors go by address: by value, their place would depend on the processor.
#define INLINED static inline __attribute__((always_inline))

#endif
