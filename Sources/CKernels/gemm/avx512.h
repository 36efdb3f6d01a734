// The vectors of the micro-kernels for AVX-512: sixteen floats, or words of the same size.
#ifndef VIT_AVX512_H
#define VIT_AVX512_H

#include <immintrin.h>

#include "../vectors.h"

typedef __m512 vector;
typedef int32_t word_vector __attribute__((vector_size(lanes * sizeof(int32_t))));
typedef __mmask16 mask;

#define AVX512 __attribute__((target("avx512f")))
#define ZERO _mm512_setzero_ps()
#define BROADCAST(x) _mm512_set1_ps(x)
#define LOAD(from) _mm512_loadu_ps(from)
#define ADD(a, b) _mm512_add_ps(a, b)
#define MULTIPLY(a, b) _mm512_mul_ps(a, b)
#define KEEP(x) "+v"(x)

INLINED AVX512 mask mask_of(int64_t count) {
    return count >= lanes ? 0xffff : count <= 0 ? 0 : (mask)((1u << count) - 1);
}
INLINED AVX512 vector load_some(const float *from, mask present) { return _mm512_maskz_loadu_ps(present, from); }
INLINED AVX512 void store_some(float *to, mask present, vector x) { _mm512_mask_storeu_ps(to, present, x); }

#endif
