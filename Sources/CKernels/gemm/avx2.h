// The vectors of the micro-kernels for AVX2: eight floats, or words of the same size.
#ifndef VIT_AVX2_H
#define VIT_AVX2_H

#include <immintrin.h>

#include "../clones.h"

enum { lanes = 8 };

typedef __m256 vector;
typedef int32_t word_vector __attribute__((vector_size(lanes * sizeof(int32_t))));
typedef struct {
    int is_whole;
    __m256i present;
} mask;

#define AVX2 __attribute__((target("avx2,fma")))
#define ZERO _mm256_setzero_ps()
#define BROADCAST(x) _mm256_set1_ps(x)
#define LOAD(from) _mm256_loadu_ps(from)
#define ADD(a, b) _mm256_add_ps(a, b)
#define MULTIPLY(a, b) _mm256_mul_ps(a, b)
#define KEEP(x) "+x"(x)

INLINED AVX2 mask mask_of(int64_t count) {
    const int some = count >= lanes ? lanes : count <= 0 ? 0 : (int)count;
    const __m256i numbers = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return (mask){some == lanes, _mm256_cmpgt_epi32(_mm256_set1_epi32(some), numbers)};
}
// Masked stores take tens of cycles on some processors.
INLINED AVX2 vector load_some(const float *from, mask mask) {
    return mask.is_whole ? _mm256_loadu_ps(from) : _mm256_maskload_ps(from, mask.present);
}
INLINED AVX2 void store_some(float *to, mask mask, vector x) {
    if (mask.is_whole) _mm256_storeu_ps(to, x);
    else _mm256_maskstore_ps(to, mask.present, x);
}

#endif
