// The vectors of the portable micro-kernels: four floats, or words of the same size.
#ifndef VIT_VECTOR128_H
#define VIT_VECTOR128_H

#include <string.h>

#include "../clones.h"

#if defined(__aarch64__)
#define KEEP(x) "+w"(x)
#elif defined(__x86_64__)
#define KEEP(x) "+x"(x)
#else
#define KEEP(x) "+m"(x)
#endif

enum { lanes = 4 };

typedef float vector __attribute__((vector_size(lanes * sizeof(float))));
typedef int32_t word_vector __attribute__((vector_size(lanes * sizeof(int32_t))));
typedef int mask;

#define ZERO ((vector){0})
#define BROADCAST(x) broadcast(x)
#define LOAD(from) load_whole(from)
#define ADD(a, b) ((a) + (b))
#define MULTIPLY(a, b) ((a) * (b))

INLINED vector broadcast(float x) { return (vector){x, x, x, x}; }
INLINED vector load_whole(const float *from) {
    vector x;
    memcpy(&x, from, sizeof x);
    return x;
}
INLINED mask mask_of(int64_t count) { return count >= lanes ? lanes : count <= 0 ? 0 : (int)count; }
INLINED vector load_some(const float *from, mask count) {
    if (count == lanes) return load_whole(from);
    vector x = {0};
    memcpy(&x, from, (size_t)count * sizeof(float));
    return x;
}
INLINED void store_some(float *to, mask count, vector x) {
    if (count == lanes) memcpy(to, &x, sizeof x);
    else memcpy(to, &x, (size_t)count * sizeof(float));
}

#endif
