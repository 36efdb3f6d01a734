#if defined(__x86_64__)
#include "../avx512.h"

// As in single precision, but that a step multiplies and adds pairs.
enum { mr = 12, vectors = 2, reads_b_again = 0, rows_ahead = 16, prefetch_period = 1, prefetch_locality = 2, parts = 1 };

#define TARGET __attribute__((target("avx512f,avx512bf16")))
#define MULTIPLY_ADD(a, b, c) _mm512_dpbf16_ps(c, (__m512bh)(a), (__m512bh)(b))

#include "../micro_kernel.h"

TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6) TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12)

TARGET static void round_rows(
    const float *a, int64_t stride, int64_t rows, int64_t k, float *words, int64_t word_stride, float *scales) {
    (void)scales;
    for (int64_t row = 0; row < rows; row++)
        for (int64_t i = 0; i < k; i += 2 * lanes) {
            const float *from = a + row * stride + i;
            const vector first = load_some(from, mask_of(k - i));
            const vector second = load_some(from + lanes, mask_of(k - i - lanes));
            const vector pairs = (vector)_mm512_cvtne2ps_pbh(second, first);
            store_some(words + row * word_stride + i / 2, mask_of((k - i + 1) / 2), pairs);
        }
}

ROUNDED_KERNEL(
    vit_gemm_avx512_bf16, vit_bf16_kc, 2, round_rows, vit_round_b_to_bfloat16,
    tile_1, tile_2, tile_3, tile_4, tile_5, tile_6, tile_7, tile_8, tile_9, tile_10, tile_11, tile_12)

#endif
