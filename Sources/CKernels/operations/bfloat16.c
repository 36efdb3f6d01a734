#include "bfloat16.h"

#include <string.h>

#include "../rounding.h"
#include "gemm.h"

CLONED static void round_by_words(const float *x, size_t count, uint16_t *y) {
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        y[i] = (uint16_t)(rounded(bits) >> 16);
    }
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx512f,avx512bw,avx512bf16"))) static void round_by_vectors(
    const float *x, size_t count, uint16_t *y) {
    for (size_t i = 0; i < count; i += 32) {
        const size_t left = count - i;
        const __mmask32 mask = left < 32 ? ((__mmask32)1 << left) - 1 : ~(__mmask32)0;
        const __m512 first = _mm512_maskz_loadu_ps((__mmask16)mask, x + i);
        const __m512 second = _mm512_maskz_loadu_ps((__mmask16)(mask >> 16), x + i + 16);
        _mm512_mask_storeu_epi16(y + i, mask, (__m512i)_mm512_cvtne2ps_pbh(second, first));
    }
}
#endif

void vit_round_to_bfloat16(const float *x, size_t count, uint16_t *y) {
#if defined(__x86_64__)
    if (vit_supports(vit_avx512_bf16)) {
        round_by_vectors(x, count, y);
        return;
    }
#endif
    round_by_words(x, count, y);
}

CLONED void vit_float32_from_bfloat16(const uint16_t *x, size_t count, float *y) {
    for (size_t i = 0; i < count; i++) {
        const uint32_t bits = (uint32_t)x[i] << 16;
        memcpy(y + i, &bits, sizeof bits);
    }
}
